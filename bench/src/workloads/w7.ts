import { ACTIVITIES } from "../definitions.ts";
import { median, percentile } from "../report/statistics.ts";
import { Store } from "../station/store.ts";
import type { Filling } from "../tasks/fill.ts";
import type { Listed } from "../tasks/list.ts";
import { Rounds } from "./rounds.ts";
import { RUNS } from "./w1.ts";
import type { Workload } from "./workload.ts";

const CONCURRENCY = 100;
const FINISHED = 100_000;
const PARKED = 10_000;
/** Measured in turn in the full store and in the other, so that a slow moment hits both. */
const ROUNDS = 5;

/** Whether W1 and lists are as fast in a store that is full of old runs as in one that was empty. */
export const w7: Workload = {
  name: "W7",
  measure({ backend, count, record, warm }) {
    const runs = count(RUNS, 10);
    const filling = { finished: count(FINISHED), parked: count(PARKED) };
    return Store.with(backend, (emptyStore) =>
      Store.with(backend, async (fullStore) => {
        const { durability } = await fullStore.client.call("describeStorage", null);
        const settled = await fullStore.client.call("fill", filling);
        const empty = roundsIn(emptyStore, runs);
        const full = roundsIn(fullStore, runs);
        if (warm) await empty.warmUp();
        if (warm) await full.warmUp();
        const ratios: number[] = [];
        const rates: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const emptyMs = (await empty.next()).done.ms;
          const { ms } = (await full.next()).done;
          rates.push((runs * 1000) / ms);
          ratios.push(emptyMs / ms);
        }
        await empty.check();
        await full.check(filling);

        const settings = {
          durability,
          concurrency: CONCURRENCY,
          processes: 1,
          runs,
          ...filling,
          ...(settled && { settled }),
        };
        const ofRuns = { ...settings, activities: ACTIVITIES, warm };
        record("runs_per_second", median(rates), ofRuns);
        record("ratio", median(ratios), { ...ofRuns, of: "empty store" });
        const listed = await listIn(fullStore, filling, full.runs);
        const compared = await listIn(emptyStore, { finished: 0, parked: 0 }, empty.runs);
        for (const pages of ["newest", "all"] as const) {
          const ms = percentile(listed[pages], 50);
          record("p50_ms", ms, { ...settings, list: pages });
          record("ratio", percentile(compared[pages], 50) / ms, { ...settings, list: pages, of: "empty store" });
        }
      }),
    );
  },
};

function roundsIn(store: Store, runs: number): Rounds<{ readonly ms: number }> {
  const worker = store.worker();
  return new Rounds(store, runs, () => worker.call("work", { runs, concurrency: CONCURRENCY, profile: null }));
}

/** The times of pages of all runs that the store holds. */
async function listIn({ client }: Store, { finished, parked }: Filling, runs: number): Promise<Listed> {
  return client.call("list", { runs: finished + parked + runs });
}
