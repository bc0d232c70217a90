import { Store } from "../station/store.ts";
import type { Measurement, Workload } from "./workload.ts";

const ACTIVITIES = [1_000, 10_000] as const;

/** How one run of many activities goes, and how long it takes a worker that has never seen it to resume it. */
export const w4: Workload = {
  name: "W4",
  async measure(measurement) {
    for (const activities of ACTIVITIES) await measureWith(measurement, measurement.count(activities, activities / 50));
  },
};

function measureWith({ backend, record }: Measurement, activities: number): Promise<void> {
  return Store.with(backend, async (store) => {
    const { durability } = await store.client.call("describeStorage", null);
    const { runId, us, firstUs, lastUs, rssMb } = await store.worker().call("workLong", { activities });
    const resumed = await store.worker().call("finishLong", { runId, activities });
    const settings = { durability, concurrency: 100, processes: 1, activities };
    record("us_per_activity", us, settings);
    record("us_per_activity_first_100", firstUs, settings);
    record("us_per_activity_last_100", lastUs, settings);
    record("replay_ms", resumed.replayMs, settings);
    record("resume_ms", resumed.resumeMs, settings);
    record("rss_mb", rssMb, settings);
    record("rss_mb", resumed.rssMb, { ...settings, cold: true });
  });
}
