import { setTimeout as pause } from "node:timers/promises";
import type { Client, WorkflowEvent } from "@perdure/core";
import { type LedgerEntry, readLedger } from "./ledger.ts";
import { narrate } from "./narrate.ts";
import type { Timeline } from "./timeline.ts";

/** History by run id. */
export type Histories = ReadonlyMap<string, readonly WorkflowEvent[]>;

const LOOK_EVERY_MS = 40;

/** Follows runs, and the child runs that they start, by reading their histories, and tells the timeline. Needs no worker. */
export class Watch {
  readonly #client: Client;
  readonly #ledger: string;
  readonly #timeline: Timeline;
  readonly #histories = new Map<string, readonly WorkflowEvent[]>();
  #entries: readonly LedgerEntry[] = [];

  constructor(client: Client, ledger: string, timeline: Timeline) {
    this.#client = client;
    this.#ledger = ledger;
    this.#timeline = timeline;
  }

  add(runId: string): void {
    if (!this.#histories.has(runId)) this.#histories.set(runId, []);
  }

  /** What has been seen up to now. */
  get histories(): Histories {
    return new Map(this.#histories);
  }

  /** Looks until a condition holds. */
  async until(condition: (histories: Histories) => boolean): Promise<void> {
    await this.look();
    while (!condition(this.#histories)) {
      await pause(LOOK_EVERY_MS);
      await this.look();
    }
  }

  /** Reads everything, and tells what is new in the order of time. */
  async look(): Promise<void> {
    const news = [...this.#readLedger(), ...(await this.#readHistories())];
    for (const { tell } of news.toSorted((a, b) => a.at - b.at)) tell();
  }

  async #readHistories(): Promise<readonly News[]> {
    const news: News[] = [];
    // A Map's loop also comes by what is added meanwhile: the children.
    for (const [runId, seen] of this.#histories) {
      const history = await this.#client.handle(runId).history();
      this.#histories.set(runId, history);
      for (const event of history.slice(seen.length)) {
        if (event.type === "CHILD_STARTED") this.add(childOf(history, event.command));
        const clause = narrate(event);
        if (clause !== null)
          news.push({ at: event.at, tell: () => this.#timeline.say(runId, clause.mood, clause.text, event.at) });
      }
    }
    return news;
  }

  /** Of the ledger, only repetitions are news: everything else is in the histories. */
  #readLedger(): readonly News[] {
    const seen = this.#entries.length;
    this.#entries = readLedger(this.#ledger);
    const isRepeated = (entry: LedgerEntry, place: number): boolean =>
      this.#entries.findIndex(
        (other) => other.idempotencyKey === entry.idempotencyKey && other.attempt === entry.attempt,
      ) < place;
    return this.#entries.flatMap((entry, place) => {
      if (place < seen || entry.what !== "began" || !isRepeated(entry, place)) return [];
      const { at, runId, activity } = entry;
      const text = `${activity} is executed again: its result was not in history. The idempotency key is the same`;
      return [{ at, tell: () => this.#timeline.say(runId, "bad", text, at) }];
    });
  }
}

interface News {
  readonly at: number;
  readonly tell: () => void;
}

function childOf(history: readonly WorkflowEvent[], command: number | null): string {
  const intent = history.find((event) => event.type === "CHILD_SCHEDULED" && event.command === command);
  if (intent?.type !== "CHILD_SCHEDULED")
    throw new Error(`Command ${command} started a child that it did not schedule.`);
  return intent.data.runId;
}

/** The activity's start is the last thing that is recorded. */
export function isRunning(history: readonly WorkflowEvent[] | undefined, activity: string): boolean {
  const last = history?.at(-1);
  return last?.type === "ACTIVITY_SCHEDULED" && last.data.activity === activity;
}

export function isOver(history: readonly WorkflowEvent[]): boolean {
  return ["WORKFLOW_COMPLETED", "WORKFLOW_FAILED", "WORKFLOW_CANCELLED"].includes(history.at(-1)?.type ?? "");
}
