import { Store } from "../station/store.ts";
import type { Workload } from "./workload.ts";

const IDLE_MS = 60_000;
const QUICK_MS = 500;
const CONCURRENCY = 100;

/** What a worker costs that has nothing to do. */
export const w8: Workload = {
  name: "W8",
  measure({ backend, quick, record }) {
    return Store.with(backend, async (store) => {
      const { durability } = await store.client.call("describeStorage", null);
      const worker = store.worker();
      await worker.call("startWorker", { workflow: "five", concurrency: CONCURRENCY });
      // It has worked, and its first looks for more are over.
      await store.client.call("roundTrips", { count: 5, idleMs: 0 });
      const ms = quick ? QUICK_MS : IDLE_MS;
      const { ms: tookMs, statements, cpuMs } = await worker.call("use", { ms });
      await worker.call("stopWorker", null);
      const settings = { durability, concurrency: CONCURRENCY, processes: 1, idle_s: ms / 1000 };
      record("statements_per_second", (statements * 1000) / tookMs, settings);
      record("cpu_percent", (cpuMs * 100) / tookMs, settings);
    });
  },
};
