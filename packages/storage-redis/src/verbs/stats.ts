import { compareBytes, type QueueStats, type StorageStats } from "@perdure/core/storage";
import { parseLane } from "../lane.ts";
import { instantOf, listOf, numberOf, type Reply, textOf } from "../reply.ts";
import { SCRIPTS } from "../scripts.ts";
import { allDone } from "../shards.ts";
import type { Store } from "../store.ts";

const STATUSES = ["open", "completed", "failed", "cancelled"] as const;

/** `stats`: each shard counts at one moment; sums over several are as good as the shards are close. */
export async function statsOf(store: Store): Promise<StorageStats> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard);
  const all = await allDone(
    shards.map(async (shard) => statsIn(store, await store.run(SCRIPTS.stats, shard, [STATUSES]))),
  );
  const runs = { open: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const one of all) for (const status of STATUSES) runs[status] += one.runs[status];
  return {
    now: Math.max(...all.map(({ now }) => now)),
    runs,
    queues: summed(all.flatMap(({ queues }) => queues)),
    discardedMessages: all.reduce((sum, { discardedMessages }) => sum + discardedMessages, 0),
  };
}

function statsIn(store: Store, replies: readonly Reply[]): StorageStats {
  const [now, discarded, open, completed, failed, cancelled, ...queues] = replies;
  return {
    now: store.noted(now),
    runs: {
      open: numberOf(open),
      completed: numberOf(completed),
      failed: numberOf(failed),
      cancelled: numberOf(cancelled),
    },
    queues: queues.map(queueOf),
    discardedMessages: numberOf(discarded),
  };
}

function queueOf(reply: Reply): QueueStats {
  const [lane, ready, leased, blocked, waiting, oldestReadyAt] = listOf(reply);
  const { queue, kind } = parseLane(textOf(lane));
  return {
    queue,
    kind,
    ready: numberOf(ready),
    leased: numberOf(leased),
    blocked: numberOf(blocked),
    waiting: numberOf(waiting),
    oldestReadyAt: instantOf(oldestReadyAt),
  };
}

/** One of each queue and kind that has a task, in order. */
function summed(all: readonly QueueStats[]): QueueStats[] {
  const byQueue = new Map<string, QueueStats>();
  for (const one of all) {
    if (one.ready + one.leased + one.blocked + one.waiting === 0) continue;
    const name = `${one.kind} ${one.queue}`;
    const other = byQueue.get(name);
    byQueue.set(name, other === undefined ? one : sumOf(one, other));
  }
  return [...byQueue.values()].toSorted((a, b) => compareBytes(a.queue, b.queue) || compareBytes(a.kind, b.kind));
}

function sumOf(one: QueueStats, other: QueueStats): QueueStats {
  const oldest = [one.oldestReadyAt, other.oldestReadyAt].filter((at) => at !== null);
  return {
    ...one,
    ready: one.ready + other.ready,
    leased: one.leased + other.leased,
    blocked: one.blocked + other.blocked,
    waiting: one.waiting + other.waiting,
    oldestReadyAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
