import type { Millis, QueueStats, RunStatus, StorageStats } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { row, rows, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";

/** `stats`: a fold over runs and tasks (I20). */
export function* statsOf(turn: Turn): Steps<StorageStats> {
  const { ns, now } = turn;
  const queues = yield* rows(countTasks, { ns, now });
  const notable = yield* rows(countNotable, { ns });
  const all = (yield* row(countRuns, { ns }))!.count;
  const runs: Record<RunStatus, number> = { open: 0, completed: all, failed: 0, cancelled: 0 };
  for (const { status, count } of notable) {
    runs[status] = count;
    runs.completed -= count;
  }
  return { now, runs, queues, discardedMessages: (yield* row(countDiscarded, { ns }))!.discarded };
}

const countTasks = query((db, args: { ns: number; now: Millis }) => {
  const isReady = sql<boolean>`t.visible_at is not null and t.visible_at <= ${args.now}`;
  const count = (state: ReturnType<typeof sql>) => sql<number>`sum(case when ${state} then 1 else 0 end)`;
  return db
    .selectFrom("perdure_lanes as l")
    .innerJoin("perdure_tasks as t", "t.lane", "l.no")
    .select(["l.queue", "l.kind"])
    .select([
      count(isReady).as("ready"),
      count(sql`not (${isReady}) and t.instance is not null`).as("leased"),
      count(sql`not (${isReady}) and t.instance is null and t.blocked is null`).as("waiting"),
      count(sql`not (${isReady}) and t.instance is null and t.blocked is not null`).as("blocked"),
      sql<Millis | null>`min(case when ${isReady} then t.visible_at end)`.as("oldestReadyAt"),
    ])
    .where("l.ns", "=", args.ns)
    .groupBy(["l.queue", "l.kind"])
    .orderBy("l.queue")
    .orderBy("l.kind")
    .$castTo<QueueStats>();
});

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

const countRuns = query((db, args: { ns: number }) =>
  db
    .selectFrom("perdure_runs")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("ns", "=", args.ns),
);

const countDiscarded = query((db, args: { ns: number }) =>
  db.selectFrom("perdure_namespaces").select("discarded").where("no", "=", args.ns),
);
