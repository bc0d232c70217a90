import { type ActivityCommit, type Claim, type CommitResult, type Millis, parseTaskId } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { row, type Steps, write } from "../steps.ts";
import { claimedActivity, deleteTask, owns, type TaskKey, type TaskRow } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";
import { deliver } from "./deliver.ts";

/** The end of a hand-out of an activity task. */
export function* commitActivity(turn: Turn, { claim, commitId, next }: ActivityCommit): Steps<CommitResult> {
  const task = yield* claimedActivity(turn, claim);
  if (task === undefined) return yield* commitWithoutTask(turn, claim, commitId);
  if (task.seq === 0) return { status: "lease-lost" };
  if (task.commit_id === commitId) return ended(turn, "duplicate");
  if (!owns(claim, task)) return { status: "lease-lost" };
  const { run, seq } = task;
  switch (next.do) {
    case "complete":
      yield* write(deleteTask, { run, seq });
      yield* write(completeActivity, { run, seq, commitId });
      // Whether the run still takes it is the run's affair: the task is over either way.
      yield* deliver(turn, next.message);
      return ended(turn, "ok");
    case "retry":
      yield* write(retryActivity, { run, seq, attempt: next.attempt, details: next.details ?? null });
      yield* giveBack(turn, task, commitId, next.at);
      return ended(turn, "ok");
    case "release":
      yield* giveBack(turn, task, commitId, turn.now);
      return ended(turn, "ok");
    default:
      return next satisfies never;
  }
}

/** The task is completed and gone: while its run is there, so is the id of the commit that did it. */
function* commitWithoutTask(turn: Turn, { taskId, runId, incarnation }: Claim, commitId: string): Steps<CommitResult> {
  const address = parseTaskId(taskId);
  if (address?.runId !== runId || address.incarnation !== incarnation) return { status: "lease-lost" };
  const completed = yield* row(findCompleted, { ns: turn.ns, id: runId, incarnation, seq: address.seq });
  return completed?.completed_by === commitId ? ended(turn, "duplicate") : { status: "lease-lost" };
}

/** Ends the claim; the task can be claimed again at a time. */
function* giveBack(turn: Turn, { run, seq, lane }: TaskRow, commitId: string, visibleAt: Millis): Steps<void> {
  yield* write(releaseActivity, { run, seq, commitId, visibleAt });
  if (visibleAt <= turn.now) wake(turn, "queue", (yield* turn.lanes.byNo(lane)).queue);
}

function ended({ now }: Turn, status: "ok" | "duplicate"): CommitResult {
  return { status, held: false, now, leaseUntil: null, inboxLast: 0, messages: [] };
}

const releaseActivity = query((db, args: TaskKey & { commitId: string; visibleAt: Millis }) =>
  db
    .updateTable("perdure_tasks")
    .set({ commit_id: args.commitId, deliveries: 0, visible_at: args.visibleAt, instance: null, worker: null })
    .where("run", "=", args.run)
    .where("seq", "=", args.seq),
);

const retryActivity = query((db, args: TaskKey & { attempt: number; details: string | null }) =>
  db
    .updateTable("perdure_activities")
    .set({ attempt: args.attempt, details: sql<string>`coalesce(${args.details}, details)` })
    .where("run", "=", args.run)
    .where("seq", "=", args.seq),
);

/** What is large in it is not needed any more. */
const completeActivity = query((db, args: TaskKey & { commitId: string }) =>
  db
    .updateTable("perdure_activities")
    .set({ completed_by: args.commitId, input: "", details: null })
    .where("run", "=", args.run)
    .where("seq", "=", args.seq),
);

const findCompleted = query((db, args: { ns: number; id: string; incarnation: string; seq: number }) =>
  db
    .selectFrom("perdure_runs as r")
    .innerJoin("perdure_activities as a", "a.run", "r.no")
    .select("a.completed_by")
    .where("r.ns", "=", args.ns)
    .where("r.id", "=", args.id)
    .where("r.incarnation", "=", args.incarnation)
    .where("a.seq", "=", args.seq),
);
