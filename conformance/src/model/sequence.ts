import { memory, virtualClock } from "@perdure/core/memory";
import type { Millis, StorageBackend } from "@perdure/core/storage";
import { isEqual } from "../assert.ts";
import type { CaseContext } from "../context.ts";
import { ConformanceFailure } from "../failure.ts";
import { type Call, type Exchange, send } from "./call.ts";
import { comparable } from "./comparable.ts";
import { differences } from "./differences.ts";
import { fromStart, MOST_STEPS, STEP } from "./steps.ts";
import { ACTIVITIES, RUNS, type RunName } from "./names.ts";
import type { Operation } from "./operation.ts";
import { toCall } from "./to-call.ts";
import { World } from "./world.ts";

/**
 * Tasks that become ready in the same step are ordered by priority, and a step of priority is worth ten seconds: as long as all that happens
 * in one step of the sequence happens in less, the store's order is the model's.
 */
const LONGEST_MS = 9_000;

/** What is seen at the end of every sequence: all that the port shows, and then all that can still be claimed. */
function lastLook(listing: boolean): readonly Operation[] {
  const runs = Object.keys(RUNS) as RunName[];
  const client = 0;
  return [
    ...runs.map((run): Operation => ({ do: "get-run", client, run })),
    { do: "read-events", client, runs: runs.map((run) => ({ run, after: 0, limit: null })) },
    { do: "read-cache", client, keys: runs },
    ...(listing
      ? ([
          { do: "list", client, limit: 2, ...EVERYTHING },
          { do: "stats", client },
        ] as const)
      : []),
    { do: "pass", steps: 3 },
    { do: "reopen", client },
    {
      do: "claim",
      client,
      queues: ["left", "right"],
      kinds: ["workflow", "activity"],
      workflows: ["order"],
      activities: Object.values(ACTIVITIES),
      limit: 10,
      lease: 1,
      inlineEvents: 16,
      overdue: true,
      forgets: false,
      tasks: null,
    },
  ];
}

const EVERYTHING = {
  status: null,
  workflow: null,
  queue: null,
  blocked: null,
  parent: null,
  attribute: null,
  createdAfter: null,
} as const;

/**
 * Does the same to a store and to the model, and sees that both answer the same.
 * @throws ConformanceFailure at the first difference
 */
export async function playSequence(t: CaseContext, operations: readonly Operation[]): Promise<void> {
  const play = await Play.begin(t);
  const listing = t.info.capabilities.listing === "strong";
  try {
    for (const operation of [...operations, ...lastLook(listing)]) {
      if (play.ms > LONGEST_MS - t.time.latestMs)
        return t.count("sequences that were too slow to be judged to their end");
      await play.step(operation);
    }
  } catch (error) {
    if (!(error instanceof ConformanceFailure)) throw error;
    throw error.with({ calls: fromStart(t.journal.print(), play.origin) });
  }
}

class Play {
  readonly #t: CaseContext;
  readonly #clients: StorageBackend[];
  readonly #world: World;
  readonly #clock: ReturnType<typeof virtualClock>;
  readonly #model: StorageBackend;
  readonly #began = performance.now();

  private constructor(t: CaseContext, clients: StorageBackend[], now: Millis) {
    this.#t = t;
    this.#clients = clients;
    // What is due with a step is due in it, also where it comes later by as much as clocks may differ.
    this.#world = new World(now - t.time.latestMs);
    this.#clock = virtualClock(now);
    this.#model = memory({ clock: this.#clock });
  }

  static async begin(t: CaseContext): Promise<Play> {
    return new Play(t, [t.backend, await t.open()], await t.time.now());
  }

  get origin(): Millis {
    return this.#world.origin;
  }

  /** For how long it has been played. */
  get ms(): number {
    return performance.now() - this.#began;
  }

  async step(operation: Operation): Promise<void> {
    switch (operation.do) {
      case "pass":
        return this.#pass(operation.steps);
      case "reopen":
        await this.#clients[operation.client]!.close();
        this.#clients[operation.client] = await this.#t.open();
        return this.#world.restart(operation.client);
      default: {
        const call = toCall(operation, this.#world);
        if (call !== undefined) await this.#call(operation.client, call);
      }
    }
  }

  async #pass(steps: number): Promise<void> {
    const { subject, time } = this.#t;
    if (subject.advance === undefined || this.#world.step + steps > MOST_STEPS) return;
    await time.pass(steps * STEP, `${steps} * STEP`);
    this.#clock.advance(steps * STEP);
    this.#world.step += steps;
  }

  async #call(client: number, call: Call): Promise<void> {
    this.#world.send(call);
    const expected = await send(this.#model, call);
    const actual = await this.#ask(this.#clients[client]!, call, expected);
    this.#world.hear(client, actual);
    const { origin, purged } = this.#world;
    const how = { origin, purged, anyOrder: false };
    const seen = { actual: comparable(actual, how), expected: comparable(expected, how) };
    if (isEqual(seen.actual, seen.expected)) return;
    const differs = differences(seen.actual, seen.expected);
    throw new ConformanceFailure(asTheModel(call), seen, { notes: { differs } });
  }

  async #ask(backend: StorageBackend, call: Call, expected: Exchange): Promise<Exchange> {
    try {
      return await send(backend, call);
    } catch (error) {
      if (error instanceof ConformanceFailure) throw error;
      throw new ConformanceFailure(asTheModel(call), { expected: expected.answer, actual: { thrown: error } });
    }
  }
}

function asTheModel({ verb }: Call): string {
  return `${verb} is answered as the model answers it`;
}
