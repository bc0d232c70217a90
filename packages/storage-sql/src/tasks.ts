import { type Claim, type Millis, parseTaskId, type TaskId } from "@perdure/core/storage";
import { query } from "./query.ts";
import { row, rowAfter, type Steps } from "./steps.ts";
import type { KnownRun } from "./run-numbers.ts";
import type { Turn } from "./turn.ts";

/** What verbs read of a task. */
export const TASK_COLUMNS = [
  "run",
  "seq",
  "lane",
  "visible_at",
  "deadline_at",
  "instance",
  "epoch",
  "deliveries",
  "last_seq",
  "inbox_last",
  "inbox_acked",
  "commit_id",
  "closed",
  "blocked",
] as const;

export interface TaskRow {
  readonly run: number;
  readonly seq: number;
  readonly lane: number;
  readonly visible_at: Millis | null;
  readonly deadline_at: Millis | null;
  readonly instance: string | null;
  readonly epoch: number;
  readonly deliveries: number;
  readonly last_seq: number;
  readonly inbox_last: number;
  readonly inbox_acked: number;
  readonly commit_id: string | null;
  readonly closed: 0 | 1;
  readonly blocked: string | null;
}

/** Where a task is, or would be if it is gone. */
export interface TaskKey {
  readonly run: number;
  readonly seq: number;
}

/** Whether a claim still owns the task: the epoch is the newest, and the claim was not given up (I6). */
export function owns(claim: Claim, task: TaskRow): boolean {
  return task.epoch === claim.epoch && task.instance !== null;
}

/** The task that a claim is about, locked, whoever owns it now; undefined when it is gone. */
export function claimedTask(turn: Turn, claim: Claim): Steps<TaskRow | undefined> {
  return claimed(turn, claim, taskIn);
}

/**
 * The same for an activity task whose end its run is going to hear of. The run's workflow task is locked first: as by whoever cancels
 * activities of the run, or the two would wait for each other.
 */
export function claimedActivity(turn: Turn, claim: Claim): Steps<TaskRow | undefined> {
  return claimed(turn, claim, activityIn);
}

type Find = (run: KnownRun, taskId: TaskId) => Steps<TaskRow | undefined>;

function* claimed(turn: Turn, { taskId, runId, incarnation }: Claim, find: Find): Steps<TaskRow | undefined> {
  const known = turn.numbers.get(runId);
  if (known?.incarnation === incarnation) {
    const task = yield* find(known, taskId);
    if (task !== undefined) return task;
  }
  // Gone, or never seen here, or its run was created again with the same incarnation.
  const run = yield* numberedRun(turn, runId, incarnation);
  return run === undefined || run === known ? undefined : yield* turn.locked(find(run, taskId));
}

/** The task that an id names, locked. */
export function* namedTask(turn: Turn, taskId: TaskId): Steps<TaskRow | undefined> {
  const address = parseTaskId(taskId);
  if (address === undefined) return undefined;
  const { runId, incarnation, seq } = address;
  const run = yield* numberedRun(turn, runId, incarnation);
  return run && (yield* turn.locked(row(findTask, { run: run.no, seq })));
}

/** Looks a run's number up. */
export function* lookUpRun(turn: Turn, id: string): Steps<KnownRun | undefined> {
  const found = yield* row(findRunNumber, { ns: turn.ns, id });
  return found && turn.numbers.add(found.no, id, found.incarnation);
}

function* numberedRun(turn: Turn, runId: string, incarnation: string): Steps<KnownRun | undefined> {
  const run = yield* lookUpRun(turn, runId);
  return run?.incarnation === incarnation ? run : undefined;
}

function* taskIn(run: KnownRun, taskId: TaskId): Steps<TaskRow | undefined> {
  if (taskId === run.taskId) return yield* row(findTask, { run: run.no, seq: 0 });
  const address = parseTaskId(taskId);
  if (address?.runId !== run.runId || address.incarnation !== run.incarnation) return undefined;
  return yield* row(findTask, { run: run.no, seq: address.seq });
}

function* activityIn(run: KnownRun, taskId: TaskId): Steps<TaskRow | undefined> {
  const address = parseTaskId(taskId);
  if (address?.runId !== run.runId || address.incarnation !== run.incarnation) return undefined;
  return yield* rowAfter(findTask, { run: run.no, seq: 0 }, { run: run.no, seq: address.seq });
}

export const findTask = query((db, args: TaskKey, dialect) =>
  dialect.lock(
    db.selectFrom("perdure_tasks").select(TASK_COLUMNS).where("run", "=", args.run).where("seq", "=", args.seq),
  ),
);

const findRunNumber = query((db, args: { ns: number; id: string }) =>
  db.selectFrom("perdure_runs").select(["no", "incarnation"]).where("ns", "=", args.ns).where("id", "=", args.id),
);

export const deleteTask = query((db, args: TaskKey) =>
  db.deleteFrom("perdure_tasks").where("run", "=", args.run).where("seq", "=", args.seq),
);

export const insertTask = query(
  (
    db,
    args: TaskKey & { ns: number; lane: number; visibleAt: Millis | null; deadlineAt: Millis | null; lastSeq: number },
  ) =>
    db.insertInto("perdure_tasks").values({
      run: args.run,
      seq: args.seq,
      ns: args.ns,
      lane: args.lane,
      visible_at: args.visibleAt,
      deadline_at: args.deadlineAt,
      epoch: 0,
      deliveries: 0,
      last_seq: args.lastSeq,
      inbox_last: 0,
      inbox_acked: 0,
      closed: 0,
    }),
);
