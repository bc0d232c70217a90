import { checkCommit, type CommitResult, type InvalidCommitCode, type WorkflowCommit } from "@perdure/core/storage";
import { sql } from "kysely";
import { appendEvents } from "../events.ts";
import { acknowledge, closeInbox, messagesAfter, timeWith } from "../inbox.ts";
import { lockOrderOf } from "../lock-order.ts";
import { query } from "../query.ts";
import { each, row, type Steps } from "../steps.ts";
import { cancelActivity, scheduleActivity } from "../activities.ts";
import { writeRun } from "../run-changes.ts";
import { claimedTask, owns, type TaskRow } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";
import { takeStep } from "../next-step.ts";

/** One turn of a run. All checks come first, in the order of {@link CommitResult}; then everything is written (I3). */
export function* commitWorkflow(turn: Turn, commit: WorkflowCommit, isSecond: boolean): Steps<CommitResult> {
  const { claim, commitId, ackInbox, close } = commit;
  const task = yield* claimedTask(turn, claim);
  if (task === undefined || task.seq > 0) return yield* commitWithoutTask(turn, commit);
  if (task.commit_id === commitId) return yield* answer(turn, "duplicate", task, owns(claim, task));
  if (!owns(claim, task)) return { status: "lease-lost" };
  const code = isSecond ? "second-commit-in-batch" : (checkCommit(commit, turn.limits) ?? checkAgainst(task, commit));
  if (code !== undefined) return { status: "invalid", code };
  if (commit.expectedSeq !== task.last_seq) return { status: "conflict", lastSeq: task.last_seq };
  if (close !== undefined && close.discardUnread !== true && task.inbox_last > ackInbox) {
    return { status: "unread", messages: yield* messagesAfter(task, ackInbox) };
  }

  yield* appendEvents(task.run, task.last_seq, commit.events);
  if (close === undefined) yield* acknowledge(turn, task, ackInbox);
  else yield* closeInbox(turn, task);
  yield* each(
    commit.schedule ?? [],
    ({ taskId }) => taskId,
    (newTask) => scheduleActivity(turn, task.run, newTask),
  );
  yield* each(commit.cancel ?? [], lockOrderOf, (taskId) => cancelActivity(claim, task.run, taskId));
  yield* writeRun(turn, task, commit);
  if (close !== undefined) wake(turn, "closed", claim.runId);

  const after = stateAfter(task, commit);
  yield* takeStep(turn, after, commit.next);
  return yield* answer(turn, "ok", commit.next.do === "done" ? GONE : after, commit.next.do === "hold");
}

/** The task is done and gone: the run still knows the last commit. */
function* commitWithoutTask(turn: Turn, { claim, commitId }: WorkflowCommit): Steps<CommitResult> {
  const run = yield* row(findLastCommit, { ns: turn.ns, id: claim.runId });
  const isLast = run?.incarnation === claim.incarnation && run.is_done === 1 && run.commit_id === commitId;
  return isLast ? yield* answer(turn, "duplicate", GONE, false) : { status: "lease-lost" };
}

/** Rules whose breach only the task shows. */
function checkAgainst(task: TaskRow, { close, next, ackInbox }: WorkflowCommit): InvalidCommitCode | undefined {
  if (close !== undefined && task.closed === 1) return "close-twice";
  if (next.do === "done" && close === undefined && task.closed === 0) return "done-without-close";
  if (ackInbox < task.inbox_acked || ackInbox > task.inbox_last) return "ack-out-of-range";
  return undefined;
}

/** The task with everything that a commit changes of it, but for what its next step does. */
function stateAfter(task: TaskRow, { commitId, events, ackInbox, close }: WorkflowCommit): TaskRow {
  return {
    ...task,
    last_seq: task.last_seq + events.length,
    commit_id: commitId,
    // A close takes all messages: those that are unread are discarded.
    inbox_acked: close === undefined ? ackInbox : task.inbox_last,
    closed: close === undefined ? task.closed : 1,
  };
}

const GONE = { run: 0, visible_at: null, inbox_last: 0, inbox_acked: 0 } as const;

/** What a holder needs to know next; the same for a commit that was applied before. */
function* answer(
  turn: Turn,
  status: "ok" | "duplicate",
  task: Pick<TaskRow, "run" | "visible_at" | "inbox_last" | "inbox_acked">,
  held: boolean,
): Steps<CommitResult> {
  const messages = held ? yield* messagesAfter(task, task.inbox_acked) : [];
  const now = timeWith(turn.now, messages);
  return { status, held, now, leaseUntil: held ? task.visible_at : null, inboxLast: task.inbox_last, messages };
}

const findLastCommit = query((db, args: { ns: number; id: string }) =>
  db
    .selectFrom("perdure_runs as r")
    .leftJoin("perdure_tasks as t", (join) => join.onRef("t.run", "=", "r.no").on("t.seq", "=", sql.lit(0)))
    .select(["r.incarnation", "r.commit_id"])
    .select((eb) => eb.case().when("t.run", "is", null).then(1).else(0).end().as("is_done"))
    .where("r.ns", "=", args.ns)
    .where("r.id", "=", args.id),
);
