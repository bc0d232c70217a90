import type { Backend } from "../backends/backend.ts";
import { ACTIVITIES } from "../definitions.ts";
import { median } from "../report/statistics.ts";
import type { Station } from "../station/station.ts";
import { Store } from "../station/store.ts";
import { Rounds } from "./rounds.ts";
import { RUNS } from "./w1.ts";
import type { Workload } from "./workload.ts";

const CONCURRENCY = 100;
/** Compared with one. */
const PROCESSES = [2, 4] as const;
/** Measured in turn with one process and with more, so that a slow moment hits both. */
const ROUNDS = 5;
/** How often the processes are asked how far they are: without a word to the store. */
const LOOK_MS = 5;
const STALLED_MS = 30_000;

/** Whether more processes on one store do W1 at least as fast as one does, and lose nothing. */
export const w5: Workload = {
  name: "W5",
  async measure({ backend, count, record, notApplicable, warm }) {
    const { durability, processes: most } = await describe(backend);
    if (most === "one") return notApplicable("its capabilities say that one process at a time may open a store");
    const runs = count(RUNS, 10);
    const settings = { durability, concurrency: CONCURRENCY, runs, activities: ACTIVITIES, warm };
    for (const processes of PROCESSES) {
      const { ofOne, ofMany, ratio } = await compare(backend, { processes, runs, warm });
      record("runs_per_second", ofOne, { ...settings, processes: 1, beside: processes });
      record("runs_per_second", ofMany, { ...settings, processes });
      record("ratio", ratio, { ...settings, processes, of: "one process" });
    }
  },
};

function describe(backend: Backend): Promise<{ readonly durability: string; readonly processes: "one" | "many" }> {
  return Store.with(backend, ({ client }) => client.call("describeStorage", null));
}

interface Load {
  readonly processes: number;
  readonly runs: number;
  readonly warm: boolean;
}

/** Runs per second of one process and of several, on a store each. */
function compare(
  backend: Backend,
  { processes, runs, warm }: Load,
): Promise<{ readonly ofOne: number; readonly ofMany: number; readonly ratio: number }> {
  return Store.with(backend, (storeOfOne) =>
    Store.with(backend, async (storeOfMany) => {
      const one = roundsOf(storeOfOne, 1, runs);
      const many = roundsOf(storeOfMany, processes, runs);
      if (warm) await one.warmUp();
      if (warm) await many.warmUp();
      const rates = { one: [] as number[], many: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.one.push((runs * 1000) / (await one.next()).done);
        rates.many.push((runs * 1000) / (await many.next()).done);
      }
      await one.check();
      await many.check();
      const ratio = median(rates.many.map((rate, round) => rate / rates.one[round]!));
      return { ofOne: median(rates.one), ofMany: median(rates.many), ratio };
    }),
  );
}

function roundsOf(store: Store, processes: number, runs: number): Rounds<number> {
  const workers = Array.from({ length: processes }, () => store.worker());
  return new Rounds(store, runs, () => workTogether(workers, runs));
}

/** Works in all processes until so many runs are done; answers the milliseconds that it took. */
async function workTogether(workers: readonly Station[], runs: number): Promise<number> {
  const before = await progress(workers);
  const work = { workflow: "five", concurrency: CONCURRENCY } as const;
  const startedAt = Math.min(...(await Promise.all(workers.map((worker) => worker.call("startWorker", work)))));
  let now = before;
  for (let changedAt = Date.now(); now.closed < before.closed + runs;) {
    await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
    const next = await progress(workers);
    if (next.closed > now.closed) changedAt = Date.now();
    if (Date.now() > changedAt + STALLED_MS)
      throw new Error(`The workers stand still: ${next.closed - before.closed} of ${runs} runs have closed.`);
    now = next;
  }
  await Promise.all(workers.map((worker) => worker.call("stopWorker", null)));
  return now.closedAt - startedAt;
}

async function progress(workers: readonly Station[]): Promise<{ readonly closed: number; readonly closedAt: number }> {
  const ends = await Promise.all(workers.map((worker) => worker.call("ends", null)));
  return {
    closed: ends.reduce((sum, { closed }) => sum + closed, 0),
    closedAt: Math.max(...ends.map(({ closedAt }) => closedAt)),
  };
}
