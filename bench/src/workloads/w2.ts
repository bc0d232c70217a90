import { ACTIVITIES } from "../definitions.ts";
import { percentile } from "../report/statistics.ts";
import { Store } from "../station/store.ts";
import type { Workload } from "./workload.ts";

const CONCURRENCY = 100;
const WARM_UPS = 200;
const RUNS = 100;
const IDLE_MS = 10_000;
const RUNS_AFTER_IDLENESS = 4;

/** How long one run takes on an idle system: back to back, and after a while in which nothing happened. */
export const w2: Workload = {
  name: "W2",
  measure({ backend, quick, count, record }) {
    return Store.with(backend, async (store) => {
      const { durability } = await store.client.call("describeStorage", null);
      const worker = store.worker();
      await worker.call("startWorker", { workflow: "five", concurrency: CONCURRENCY });
      const measure = async (runs: number, idleMs: number): Promise<void> => {
        const times = await store.client.call("roundTrips", { count: runs, idleMs });
        const settings = {
          durability,
          concurrency: CONCURRENCY,
          processes: 1,
          runs,
          activities: ACTIVITIES,
          idle_s: idleMs / 1000,
        };
        record("p50_ms", percentile(times, 50), settings);
        record("p99_ms", percentile(times, 99), settings);
      };
      await store.client.call("roundTrips", { count: count(WARM_UPS, 5), idleMs: 0 });
      await measure(count(RUNS, 5), 0);
      if (!quick) await measure(RUNS_AFTER_IDLENESS, IDLE_MS);
      await worker.call("stopWorker", null);
    });
  },
};
