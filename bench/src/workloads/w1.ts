import { ACTIVITIES } from "../definitions.ts";
import { Store } from "../station/store.ts";
import type { Station } from "../station/station.ts";
import type { Round, Workload } from "./workload.ts";

const RUNS = 2_000;
/** So often W1 is done before it is measured warm: what runs is compiled and optimized by then. */
const WARM_UPS = 4;
const CONCURRENCIES = [32, 100] as const;

/** WORKFLOW_STARTED, the completion of each activity, WORKFLOW_COMPLETED. */
const EVENTS = ACTIVITIES + 2;

/** How many runs a worker gets through: enqueued first, then worked off by one process. */
export const w1: Workload = {
  name: "W1",
  async measure(round) {
    for (const concurrency of CONCURRENCIES) await measureWith(round, concurrency);
  },
};

/** How W1 is done. */
export interface W1 {
  readonly runs: number;
  readonly concurrency: number;
  readonly warm: boolean;
}

async function measureWith({ backend, record, count, warm }: Round, concurrency: number): Promise<void> {
  const runs = count(RUNS, 10);
  const load: W1 = { runs, concurrency, warm };
  const work = await workOff(backend, load, (worker) => worker.call("work", { runs, concurrency, profile: null }));
  const settings = { durability: work.durability, concurrency, processes: 1, runs, activities: ACTIVITIES, warm };
  const runsPerSecond = (runs * 1000) / work.done.ms;
  record("runs_per_second", runsPerSecond, settings);
  record("starts_per_second", (runs * 1000) / work.startMs, settings);
  record("statements_per_run", work.done.calls / runs, settings);
  record("commits_per_run", work.done.writes / runs, settings);
  record("worker_cpu_ms_per_run", work.done.cpuMs / runs, settings);
  record("rss_mb", work.done.rssMb, settings);
  if (backend.floor === null) return;
  // On a store that starts as W1's did.
  const floorLoad = { runs, activities: ACTIVITIES, batch: concurrency };
  const floor = await workOff(backend, load, (worker) => worker.call("floor", floorLoad));
  const floorRunsPerSecond = (runs * 1000) / floor.done.ms;
  record("floor_runs_per_second", floorRunsPerSecond, settings);
  record("worker_cpu_ms_per_run", floor.done.cpuMs / runs, { ...settings, of: "floor" });
  record("ratio", runsPerSecond / floorRunsPerSecond, { ...settings, of: "floor" });
}

interface WorkedOff<T> {
  readonly startMs: number;
  readonly durability: string;
  readonly done: T;
}

/** Enqueues the runs and has `work` do them all, more than once if that is to be warm; then checks what is left behind. */
export function workOff<T>(
  backend: Round["backend"],
  { runs, warm }: W1,
  work: (worker: Station) => Promise<T>,
): Promise<WorkedOff<T>> {
  return Store.with(backend, async ({ client, worker }) => {
    const { durability } = await client.call("describeStorage", null);
    const station = worker();
    const once = async (): Promise<{
      readonly startMs: number;
      readonly runIds: readonly string[];
      readonly done: T;
    }> => {
      const { ms: startMs, runIds } = await client.call("enqueue", { runs });
      return { startMs, runIds, done: await work(station) };
    };
    const before: string[] = [];
    for (let at = warm ? 0 : WARM_UPS; at < WARM_UPS; at++) before.push(...(await once()).runIds);
    const { startMs, runIds, done } = await once();
    await client.call("check", { runIds: [...before, ...runIds], events: EVENTS });
    return { startMs, durability, done };
  });
}
