import { percentile } from "../report/statistics.ts";
import { Store } from "../station/store.ts";
import type { Workload } from "./workload.ts";

const RUNS = 500;
const SLEEP_MS = 1_000;
const WARM_UPS = 4;
/** While it warms up, or where waiting is to be short. */
const SHORT_SLEEP_MS = 200;

/** WORKFLOW_STARTED, TIMER_STARTED, TIMER_FIRED, WORKFLOW_COMPLETED. */
const EVENTS = 4;

/** How late runs go on that sleep and are due nearly together. One that goes on too early is no figure but an error. */
export const w6: Workload = {
  name: "W6",
  measure({ backend, quick, count, record, warm }) {
    const sleepMs = quick ? SHORT_SLEEP_MS : SLEEP_MS;
    return Store.with(backend, async (store) => {
      const { durability } = await store.client.call("describeStorage", null);
      const worker = store.worker();
      const runs = count(RUNS, 5);
      const all: string[] = [];
      const nap = async (ms: number): Promise<readonly number[]> => {
        const done = worker.call("workNaps", { runs, ms });
        const [late, runIds] = await Promise.all([done, store.client.call("startNaps", { runs, ms })]);
        all.push(...runIds);
        return late;
      };
      for (let at = warm ? 0 : WARM_UPS; at < WARM_UPS; at++) await nap(SHORT_SLEEP_MS);
      const late = await nap(sleepMs);
      await store.client.call("check", { runIds: all, events: EVENTS });
      const settings = { durability, concurrency: 100, processes: 1, runs, sleep_ms: sleepMs, warm };
      record("late_p50_ms", percentile(late, 50), settings);
      record("late_p99_ms", percentile(late, 99), settings);
    });
  },
};
