import type { Millis } from "../model/ids.ts";
import type { RunStatus } from "../model/run.ts";
import type { QueueStats, StorageStats } from "../storage/operations.ts";
import { compareBytes } from "../storage/byte-order.ts";
import type { Task } from "./records.ts";
import type { Namespace } from "./store.ts";

/** `stats`: a fold over runs and tasks (I20). */
export function statsOf(space: Namespace, now: Millis): StorageStats {
  const runs: Record<RunStatus, number> = { open: 0, completed: 0, failed: 0, cancelled: 0 };
  let discardedMessages = 0;
  for (const run of space.runs.oldestFirst()) {
    runs[run.status] += 1;
    discardedMessages += run.discarded;
  }
  return { now, runs, queues: queueStats(space, now), discardedMessages };
}

type Counts = { -readonly [K in keyof QueueStats]: QueueStats[K] };

function queueStats(space: Namespace, now: Millis): QueueStats[] {
  const byQueue = new Map<string, Counts>();
  for (const task of space.tasks.values()) {
    const { queue, kind, visibleAt } = task;
    const name = `${kind} ${queue}`;
    let counts = byQueue.get(name);
    if (counts === undefined) {
      counts = { queue, kind, ready: 0, leased: 0, waiting: 0, blocked: 0, oldestReadyAt: null };
      byQueue.set(name, counts);
    }
    const phase = phaseOf(task, now);
    counts[phase] += 1;
    if (phase === "ready" && visibleAt !== null)
      counts.oldestReadyAt = Math.min(visibleAt, counts.oldestReadyAt ?? visibleAt);
  }
  return [...byQueue.values()].toSorted((a, b) => compareBytes(a.queue, b.queue) || compareBytes(a.kind, b.kind));
}

function phaseOf(task: Task, now: Millis): "ready" | "leased" | "waiting" | "blocked" {
  if (task.visibleAt !== null && task.visibleAt <= now) return "ready";
  if (task.lease !== null) return "leased";
  return task.kind === "workflow" && task.blocked !== null ? "blocked" : "waiting";
}
