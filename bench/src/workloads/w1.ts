import { ACTIVITIES } from "../definitions.ts";
import type { Settings } from "../report/row.ts";
import { Store } from "../station/store.ts";
import type { Worked } from "../tasks/work.ts";
import type { Round, Workload } from "./workload.ts";

const RUNS = 2_000;
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

async function measureWith(round: Round, concurrency: number): Promise<void> {
  const runs = round.count(RUNS, 10);
  const { startMs, durability, worked } = await workOff(round, { runs, concurrency, profile: null });
  const settings: Settings = { durability, concurrency, processes: 1, runs, activities: ACTIVITIES };
  const runsPerSecond = (runs * 1000) / worked.ms;
  round.record("runs_per_second", runsPerSecond, settings);
  round.record("starts_per_second", (runs * 1000) / startMs, settings);
  round.record("statements_per_run", worked.calls / runs, settings);
  round.record("commits_per_run", worked.writes / runs, settings);
  round.record("worker_cpu_ms_per_run", worked.cpuMs / runs, settings);
  round.record("rss_mb", worked.rssMb, settings);
  if (round.backend.floor === null) return;
  const floorRunsPerSecond = (runs * 1000) / (await measureFloor(round, runs, concurrency));
  round.record("floor_runs_per_second", floorRunsPerSecond, settings);
  round.record("ratio", runsPerSecond / floorRunsPerSecond, { ...settings, of: "floor" });
}

/** Does W1 once, and checks what it left behind. */
export function workOff(
  { backend }: Pick<Round, "backend">,
  { runs, concurrency, profile }: { readonly runs: number; readonly concurrency: number; readonly profile: string | null },
): Promise<{ readonly startMs: number; readonly durability: string; readonly worked: Worked }> {
  return Store.with(backend, async (store) => {
    const { durability } = await store.client.call("describeStorage", null);
    const { ms: startMs, runIds } = await store.client.call("enqueue", { runs });
    const worked = await store.worker().call("work", { runs, concurrency, profile });
    await store.client.call("check", { runIds, events: EVENTS });
    return { startMs, durability, worked };
  });
}

/** Over the very store that W1 starts with. */
function measureFloor({ backend }: Round, runs: number, concurrency: number): Promise<number> {
  return Store.with(backend, async (store) => {
    const { runIds } = await store.client.call("enqueue", { runs });
    const ms = await store.worker().call("floor", { runs, activities: ACTIVITIES, batch: concurrency });
    await store.client.call("check", { runIds, events: EVENTS });
    return ms;
  });
}
