import { compareBytes, type Millis, type QueueStats, type RunStatus, type StorageStats } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { row, rows, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";

/** `stats`: a fold over runs and tasks (I20), by indexes alone. */
export function* statsOf(turn: Turn): Steps<StorageStats> {
  const { discarded } = (yield* row(countDiscarded, { ns: turn.ns }))!;
  return {
    now: turn.now,
    runs: yield* countRuns(turn),
    queues: yield* countQueues(turn),
    discardedMessages: discarded,
  };
}

function* countRuns({ ns }: Turn): Steps<Record<RunStatus, number>> {
  const { count: all } = (yield* row(countAll, { ns }))!;
  const runs: Record<RunStatus, number> = { open: 0, completed: all, failed: 0, cancelled: 0 };
  for (const { status, count } of yield* rows(countNotable, { ns })) {
    runs[status] = count;
    runs.completed -= count;
  }
  return runs;
}

type Counts = { -readonly [K in keyof QueueStats]: QueueStats[K] };

function* countQueues(turn: Turn): Steps<readonly QueueStats[]> {
  const { ns, now } = turn;
  const byQueue = new Map<string, Counts>();
  const countsOf = function* (no: number): Steps<Counts> {
    const { queue, kind } = yield* turn.lanes.byNo(no);
    let counts = byQueue.get(`${kind} ${queue}`);
    if (counts === undefined) {
      counts = { queue, kind, ready: 0, leased: 0, waiting: 0, blocked: 0, oldestReadyAt: null };
      byQueue.set(`${kind} ${queue}`, counts);
    }
    return counts;
  };
  for (const { lane, count, ready, oldestReadyAt } of yield* rows(countTasks, { ns, now })) {
    const counts = yield* countsOf(lane);
    counts.ready += ready;
    // Those that are leased or blocked are counted among them, and moved below.
    counts.waiting += count - ready;
    if (oldestReadyAt !== null) counts.oldestReadyAt = Math.min(oldestReadyAt, counts.oldestReadyAt ?? oldestReadyAt);
  }
  for (const { lane } of yield* rows(selectLeased, { ns, now })) {
    const counts = yield* countsOf(lane);
    counts.leased += 1;
    counts.waiting -= 1;
  }
  for (const { lane, count } of yield* rows(countBlocked, { ns, now })) {
    const counts = yield* countsOf(lane);
    counts.blocked += count;
    counts.waiting -= count;
  }
  return [...byQueue.values()].toSorted((a, b) => compareBytes(a.queue, b.queue) || compareBytes(a.kind, b.kind));
}

const countTasks = query((db, args: { ns: number; now: Millis }) =>
  db
    .selectFrom("perdure_tasks as t")
    .select("t.lane")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .select([
      sql<number>`sum(case when t.visible_at <= ${args.now} then 1 else 0 end)`.as("ready"),
      sql<Millis | null>`min(case when t.visible_at <= ${args.now} then t.visible_at end)`.as("oldestReadyAt"),
    ])
    .where("t.lane", "in", (eb) => eb.selectFrom("perdure_lanes as l").select("l.no").where("l.ns", "=", args.ns))
    .groupBy("t.lane"),
);

/** Not counted in SQL: grouped by lane, it would be read in the order of all tasks. */
const selectLeased = query((db, args: { ns: number; now: Millis }) =>
  db
    .selectFrom("perdure_tasks")
    .select("lane")
    .where("ns", "=", args.ns)
    .where("instance", "is not", null)
    .where("visible_at", ">", args.now),
);

const countBlocked = query((db, args: { ns: number; now: Millis }) =>
  db
    .selectFrom("perdure_tasks")
    .select("lane")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("ns", "=", args.ns)
    .where("blocked", "is not", null)
    .where("instance", "is", null)
    .where((eb) => eb.or([eb("visible_at", "is", null), eb("visible_at", ">", args.now)]))
    .groupBy("lane"),
);

/** By the small index of runs that are not completed. */
const countNotable = query((db, args: { ns: number }) =>
  db
    .selectFrom("perdure_runs")
    .select("status")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("ns", "=", args.ns)
    .where("status", "<>", sql.lit("completed"))
    .groupBy("status"),
);

const countAll = query((db, args: { ns: number }) =>
  db
    .selectFrom("perdure_runs")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("ns", "=", args.ns),
);

const countDiscarded = query((db, args: { ns: number }) =>
  db.selectFrom("perdure_namespaces").select("discarded").where("no", "=", args.ns),
);
