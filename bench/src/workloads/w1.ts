import { ACTIVITIES } from "../definitions.ts";
import { Store } from "../station/store.ts";
import type { Station } from "../station/station.ts";
import { type Round, Rounds } from "./rounds.ts";
import type { Measurement, Workload } from "./workload.ts";

export const RUNS = 2_000;
const CONCURRENCIES = [32, 100] as const;

/** How many runs a worker gets through: enqueued first, then worked off by one process. */
export const w1: Workload = {
  name: "W1",
  async measure(measurement) {
    for (const concurrency of CONCURRENCIES) await measureWith(measurement, concurrency);
  },
};

/** How W1 is done. */
export interface W1 {
  readonly runs: number;
  readonly concurrency: number;
  readonly warm: boolean;
}

async function measureWith({ backend, record, count, warm }: Measurement, concurrency: number): Promise<void> {
  const runs = count(RUNS, 10);
  const load: W1 = { runs, concurrency, warm };
  const work = await workOff(backend, load, (worker) => worker.call("work", { runs, concurrency, profile: null }));
  const settings = { durability: work.durability, concurrency, processes: 1, runs, activities: ACTIVITIES, warm };
  const runsPerSecond = (runs * 1000) / work.done.ms;
  record("runs_per_second", runsPerSecond, settings);
  record("starts_per_second", (runs * 1000) / work.startMs, settings);
  record("statements_per_run", work.done.statements / runs, settings);
  record("commits_per_run", work.done.writes / runs, settings);
  record("worker_cpu_ms_per_run", work.done.cpuMs / runs, settings);
  if (work.done.serverCpuMs !== null) record("server_cpu_ms_per_run", work.done.serverCpuMs / runs, settings);
  record("rss_mb", work.done.rssMb, settings);
  if (backend.floor === null) return;
  // On a store that starts as W1's did.
  const floorLoad = { runs, activities: ACTIVITIES, batch: concurrency };
  const floor = await workOff(backend, load, (worker) => worker.call("floor", floorLoad));
  const floorRunsPerSecond = (runs * 1000) / floor.done.ms;
  record("floor_runs_per_second", floorRunsPerSecond, settings);
  record("worker_cpu_ms_per_run", floor.done.cpuMs / runs, { ...settings, of: "floor" });
  const { serverCpuMs } = floor.done;
  if (serverCpuMs !== null) record("server_cpu_ms_per_run", serverCpuMs / runs, { ...settings, of: "floor" });
  record("ratio", runsPerSecond / floorRunsPerSecond, { ...settings, of: "floor" });
}

/** Does W1 on a store of its own, after a few rounds of it if that is to be warm; then checks what is left behind. */
export function workOff<T>(
  backend: Measurement["backend"],
  { runs, warm }: W1,
  work: (worker: Station) => Promise<T>,
): Promise<Round<T> & { readonly durability: string }> {
  return Store.with(backend, async (store) => {
    const { durability } = await store.client.call("describeStorage", null);
    const worker = store.worker();
    const rounds = new Rounds(store, runs, () => work(worker));
    if (warm) await rounds.warmUp();
    const round = await rounds.next();
    await rounds.check();
    return { ...round, durability };
  });
}
