import { setImmediate as turn } from "node:timers/promises";
import { isPerdureError, type Millis, type StorageBackend } from "@perdure/core/storage";
import type { CaseContext } from "../context.ts";
import { ConformanceFailure } from "../failure.ts";
import { withFaults } from "../faults.ts";
import { printOperation } from "../journal.ts";
import { plainRun } from "./arbitrary.ts";
import { type Call, send } from "./call.ts";
import { comparable } from "./comparable.ts";
import { differences } from "./differences.ts";
import { linearize, type Recorded, type Unexplained } from "./linearize.ts";
import { RUNS } from "./names.ts";
import type { CallOperation } from "./operation.ts";
import type { ConcurrentRun, Script } from "./scripts.ts";
import { fromStart } from "./steps.ts";
import { toCall } from "./to-call.ts";
import { World } from "./world.ts";

/** Runs exist in the beginning. */
function beginning(run: ConcurrentRun): CallOperation {
  return { do: "create", client: 0, runs: [plainRun(run)] };
}

/** What is seen at the end: all that the port shows of a run. */
function ending(run: ConcurrentRun): readonly CallOperation[] {
  return [
    { do: "get-run", client: 0, run },
    { do: "read-events", client: 0, runs: [{ run, after: 0, limit: null }] },
    { do: "read-cache", client: 0, keys: [run] },
  ];
}

/**
 * Lets several clients work on the same runs at the same time, and sees that what each run's callers were answered can be put in an order.
 * @throws ConformanceFailure about a run of which it cannot
 */
export async function playScripts(t: CaseContext, all: readonly Script[]): Promise<void> {
  const now = await t.time.now();
  const lanes = new Lanes(now - t.time.latestMs);
  const clients = [t.backend, ...(await t.clients(all.length - 1))];
  const runs: readonly ConcurrentRun[] = ["a", "b"];
  for (const run of runs) await lanes.call(t.backend, 0, run, beginning(run));
  await Promise.all(
    all.map(async ({ steps, fault: planned }, client) => {
      const backend = withFaults(clients[client]!, planned === null ? [] : [planned]);
      for (const { run, operation, turns } of steps) {
        for (let waited = 0; waited < turns; waited++) await turn();
        await lanes.call(backend, client, run, { ...operation, client });
      }
      t.count("calls whose answer was lost", backend.happened.length);
    }),
  );
  for (const run of runs) for (const last of ending(run)) await lanes.call(t.backend, 0, run, last);
  for (const run of runs) await lanes.judge(run, now);
}

/** By run: what its callers have heard, and all that they called. */
class Lanes {
  readonly #origin: Millis;
  readonly #worlds: Readonly<Record<ConcurrentRun, World>>;
  readonly #histories: Readonly<Record<ConcurrentRun, Recorded[]>> = { a: [], b: [] };
  #moments = 0;

  constructor(origin: Millis) {
    this.#origin = origin;
    this.#worlds = { a: new World(origin), b: new World(origin) };
  }

  async call(backend: StorageBackend, client: number, run: ConcurrentRun, operation: CallOperation): Promise<void> {
    const world = this.#worlds[run];
    const call = toCall(operation, world);
    if (call === undefined) return;
    world.send(call);
    const began = ++this.#moments;
    const exchange = await answered(backend, call);
    const ended = exchange === undefined ? Infinity : ++this.#moments;
    if (exchange !== undefined) world.hear(client, exchange);
    this.#histories[run].push({ client, call, began, ended, exchange });
  }

  /** @throws ConformanceFailure if no order explains the answers */
  async judge(run: ConcurrentRun, now: Millis): Promise<void> {
    const history = this.#histories[run].toSorted((a, b) => a.began - b.began);
    const unexplained = await linearize(history, now, Object.values(this.#histories).flat());
    if (unexplained !== undefined) throw this.#failure(run, history, unexplained);
  }

  #failure(run: ConcurrentRun, history: readonly Recorded[], { explained, next, expected }: Unexplained): Error {
    const how = { origin: this.#origin, purged: false, anyOrder: true };
    const seen = { actual: comparable(next.exchange!, how), expected: comparable(expected, how) };
    const lines = history.map((one) => `/* ${one.began} … ${one.ended} */ ${printRecorded(one)}`);
    const before = explained.map(({ began }) => began).join(", ");
    return new ConformanceFailure(`some order of the calls about ${RUNS[run].runId} explains their answers`, seen, {
      calls: fromStart(lines.join("\n"), this.#origin),
      notes: {
        differs: differences(seen.actual, seen.expected),
        explained: `at best the calls that began at ${before}; then not the one at ${next.began}`,
      },
    });
  }
}

/** Nothing, if the answer was lost. */
async function answered(backend: StorageBackend, call: Call): Promise<Recorded["exchange"]> {
  try {
    return await send(backend, call);
  } catch (error) {
    if (isPerdureError(error, "unavailable")) return undefined;
    throw error;
  }
}

function printRecorded({ client, call, exchange }: Recorded): string {
  const { verb, args } = call;
  const operation = { client: `client${client + 1}`, verb, args };
  return printOperation(exchange === undefined ? operation : { ...operation, outcome: { answer: exchange.answer } });
}
