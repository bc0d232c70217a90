import { setTimeout as pause } from "node:timers/promises";
import type { Client, WorkflowEvent } from "@perdure/core";

/** History by run id. */
export type Histories = ReadonlyMap<string, readonly WorkflowEvent[]>;

const LOOK_EVERY_MS = 40;

/** Follows runs, and the child runs that they start, by reading their histories. It needs no worker for that. */
export class Watch {
  readonly #client: Client;
  readonly #onEvent: (runId: string, event: WorkflowEvent) => void;
  readonly #histories = new Map<string, readonly WorkflowEvent[]>();

  constructor(client: Client, onEvent: (runId: string, event: WorkflowEvent) => void) {
    this.#client = client;
    this.#onEvent = onEvent;
  }

  add(runId: string): void {
    if (!this.#histories.has(runId)) this.#histories.set(runId, []);
  }

  /** What has been seen up to now. */
  get histories(): Histories {
    return new Map(this.#histories);
  }

  /** Reads all histories and tells of what is new in them, in the order of time. */
  async look(): Promise<void> {
    const fresh: { readonly runId: string; readonly event: WorkflowEvent }[] = [];
    for (const [runId, seen] of this.#histories) {
      const history = await this.#client.handle(runId).history();
      this.#histories.set(runId, history);
      for (const event of history.slice(seen.length)) {
        fresh.push({ runId, event });
        // A child exists as soon as its CHILD_STARTED is recorded. A Map's loop also comes by what is added meanwhile.
        if (event.type === "CHILD_STARTED") this.add(childOf(history, event.command));
      }
    }
    for (const { runId, event } of fresh.toSorted((a, b) => a.event.at - b.event.at)) this.#onEvent(runId, event);
  }

  /** Looks until a condition holds. */
  async until(condition: (histories: Histories) => boolean): Promise<void> {
    await this.look();
    while (!condition(this.#histories)) {
      await pause(LOOK_EVERY_MS);
      await this.look();
    }
  }
}

function childOf(history: readonly WorkflowEvent[], command: number | null): string {
  const intent = history.find((event) => event.type === "CHILD_SCHEDULED" && event.command === command);
  if (intent?.type !== "CHILD_SCHEDULED") throw new Error(`Command ${command} started a child that it did not schedule.`);
  return intent.data.runId;
}
