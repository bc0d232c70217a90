import { percentile } from "../report/statistics.ts";
import { Store } from "../station/store.ts";
import type { Workload } from "./workload.ts";

const ACTIVITIES = 100;
const CONCURRENCY = 100;
const WARM_UPS = 50;
const RUNS = 20;

/** How long a run waits for many activities that it asks for at once, on an idle system: inside it, and from outside. */
export const w3: Workload = {
  name: "W3",
  measure({ backend, count, record }) {
    return Store.with(backend, async (store) => {
      const { durability } = await store.client.call("describeStorage", null);
      const worker = store.worker();
      await worker.call("startWorker", { workflow: "fan", concurrency: CONCURRENCY });
      const measure = async (
        runs: number,
      ): Promise<{ readonly inside: readonly number[]; readonly outside: readonly number[] }> => {
        const outside = await store.client.call("fanOut", { runs, activities: ACTIVITIES });
        const inside = await worker.call("fanTimes", null);
        if (inside.length !== runs) throw new Error(`Of ${runs} runs of W3, ${inside.length} were done.`);
        return { inside, outside };
      };
      await measure(count(WARM_UPS, 3));
      const runs = count(RUNS, 3);
      const { inside, outside } = await measure(runs);
      await worker.call("stopWorker", null);
      const settings = { durability, concurrency: CONCURRENCY, processes: 1, runs, activities: ACTIVITIES };
      record("fan_ms", percentile(inside, 50), settings);
      // With the commits that its results are durable by, which the code does not wait for.
      record("p50_ms", percentile(outside, 50), settings);
    });
  },
};
