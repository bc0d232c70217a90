import { compareBytes, type Millis, type QueueStats, type RunStatus, type StorageStats } from "@perdure/core/storage";
import type { Activity, Head } from "../documents.ts";
import type { Store } from "../store.ts";
import { claimableAt, horizonOf } from "../times.ts";

type Task = Pick<Head, "queue" | "kind" | "visibleAt" | "readyAt" | "isBlocked"> & {
  readonly lease: Activity["lease"];
};
type Counts = { -readonly [K in keyof QueueStats]: QueueStats[K] };

const STATUSES = ["open", "completed", "failed", "cancelled"] as const satisfies readonly RunStatus[];

/** `stats`: the service counts runs; live tasks, of which there are fewer, are counted here. */
export async function statsOf(store: Store): Promise<StorageStats> {
  const now = store.now();
  const { namespace: ns } = store;
  const count = "SELECT VALUE COUNT(1) FROM c WHERE c.ns = @ns AND c.t = 'head' AND c.status = @status";
  const tasks = "SELECT c.queue, c.kind, c.visibleAt, c.readyAt, c.isBlocked, c.lease FROM c WHERE c.live = @ns";
  const discarded = "SELECT VALUE SUM(c.discarded) FROM c WHERE c.ns = @ns AND c.t = 'head' AND c.discarded > 0";
  const [live, [discardedMessages = 0], ...counts] = await Promise.all([
    store.query<Task>(tasks, { ns }),
    store.query<number>(discarded, { ns }),
    ...STATUSES.map((status) => store.query<number>(count, { ns, status })),
  ]);
  const runs = Object.fromEntries(STATUSES.map((status, at) => [status, counts[at]![0] ?? 0])) as Record<
    RunStatus,
    number
  >;
  return { now, runs, queues: queueStats(live, now), discardedMessages };
}

function queueStats(tasks: readonly Task[], now: Millis): QueueStats[] {
  const byQueue = new Map<string, Counts>();
  for (const task of tasks) {
    const { queue, kind } = task;
    const name = `${kind} ${queue}`;
    let counts = byQueue.get(name);
    if (counts === undefined) {
      counts = { queue, kind, ready: 0, leased: 0, waiting: 0, blocked: 0, oldestReadyAt: null };
      byQueue.set(name, counts);
    }
    const phase = phaseOf(task, now);
    counts[phase] += 1;
    if (phase === "ready") counts.oldestReadyAt = Math.min(readySince(task), counts.oldestReadyAt ?? Infinity);
  }
  return [...byQueue.values()].toSorted((a, b) => compareBytes(a.queue, b.queue) || compareBytes(a.kind, b.kind));
}

function readySince({ visibleAt = 0, readyAt, lease }: Task): Millis {
  return lease === null && readyAt === visibleAt ? visibleAt : claimableAt(visibleAt);
}

function phaseOf({ visibleAt, lease, isBlocked }: Task, now: Millis): "ready" | "leased" | "waiting" | "blocked" {
  if (visibleAt !== undefined && visibleAt <= horizonOf(now)) return "ready";
  if (lease !== null) return "leased";
  return isBlocked ? "blocked" : "waiting";
}
