import type { Millis, TaskId } from "../model/ids.ts";
import type { CommitResult, InvalidCommitCode, NextStep, WorkflowCommit } from "../storage/commit.ts";
import type { Limits } from "../storage/info.ts";
import type { NewActivityTask } from "../storage/task.ts";
import { checkCommit } from "../storage/validate.ts";
import { acknowledge } from "./deliver.ts";
import { giveBack } from "./give-back.ts";
import type { ActivityTask, RunRecord, WorkflowTask } from "./records.ts";
import type { Namespace } from "./store.ts";
import { messagesOf } from "./views.ts";

/** One turn of a run. All checks come first, in the order of {@link CommitResult}; then everything is written. */
export function commitWorkflow(
  space: Namespace,
  commit: WorkflowCommit,
  isSecond: boolean,
  limits: Limits,
  now: Millis,
): CommitResult {
  const { claim } = commit;
  const known = space.run(claim.runId, claim.incarnation);
  if (known?.lastCommitId === commit.commitId) return stateAfter(space, commit, known, "duplicate", now);

  const task = space.tasks.owned(claim);
  if (task === undefined || task.kind !== "workflow") return { status: "lease-lost" };
  const { run } = task;
  const code = isSecond ? "second-commit-in-batch" : (checkCommit(commit, limits) ?? checkAgainst(task, commit));
  if (code !== undefined) return { status: "invalid", code };
  if (commit.expectedSeq !== run.events.length) return { status: "conflict", lastSeq: run.events.length };
  if (commit.close !== undefined && commit.close.discardUnread !== true && task.inboxLast > commit.ackInbox) {
    return { status: "unread", messages: messagesOf(task, commit.ackInbox) };
  }

  writeHistory(run, commit);
  acknowledge(task, commit.ackInbox, now);
  for (const newTask of commit.schedule ?? []) schedule(space, task, newTask, now);
  for (const taskId of commit.cancel ?? []) cancel(space, task, taskId);
  close(space, task, commit, now);
  step(space, task, commit.next, now);
  return stateAfter(space, commit, run, "ok", now);
}

/** Rules whose breach only the task shows. */
function checkAgainst(task: WorkflowTask, commit: WorkflowCommit): InvalidCommitCode | undefined {
  const isClosed = task.run.status !== "open";
  if (commit.close !== undefined && isClosed) return "close-twice";
  if (commit.next.do === "done" && commit.close === undefined && !isClosed) return "done-without-close";
  if (commit.ackInbox < task.inboxAcked || commit.ackInbox > task.inboxLast) return "ack-out-of-range";
  return undefined;
}

function writeHistory(run: RunRecord, { commitId, events, run: fields }: WorkflowCommit): void {
  run.lastCommitId = commitId;
  for (const { type, command, at, data } of events) {
    run.events.push({ seq: run.events.length + 1, type, command, at, data });
  }
  if (fields?.state !== undefined) run.state = fields.state;
  if (fields?.attributes !== undefined) run.attributes = { ...fields.attributes };
  if (fields?.baseSeq !== undefined) run.baseSeq = fields.baseSeq;
}

function schedule(space: Namespace, owner: WorkflowTask, newTask: NewActivityTask, now: Millis): void {
  const { run, activities, completed } = owner;
  const { taskId, activity, queue, priority, input, attempt, details, readyAt } = newTask;
  if (activities.has(taskId) || completed.has(taskId)) return;
  const task: ActivityTask = {
    kind: "activity",
    id: taskId,
    run,
    name: activity,
    queue,
    priority,
    epoch: 0,
    lease: null,
    deliveries: 0,
    visibleAt: readyAt ?? now,
    lane: space.tasks.lane(queue, "activity", activity),
    place: null,
    deadlinePlace: null,
    input,
    scheduledAt: now,
    attempt,
    details,
    lastCommitId: null,
  };
  activities.set(taskId, task);
  space.tasks.add(task);
  space.hints.give("queue", queue);
}

/** Only tasks of this run: any other id is unknown here. */
function cancel(space: Namespace, { activities }: WorkflowTask, taskId: TaskId): void {
  const task = activities.get(taskId);
  if (task === undefined) return;
  activities.delete(taskId);
  space.tasks.remove(task);
}

function close(space: Namespace, task: WorkflowTask, { close: end }: WorkflowCommit, now: Millis): void {
  if (end === undefined) return;
  const { run } = task;
  run.status = end.status;
  run.closedAt = now;
  run.output = end.output ?? null;
  run.failure = end.failure ?? null;
  run.discarded = task.inboxLast - task.inboxAcked;
  acknowledge(task, task.inboxLast, now);
  space.hints.give("closed", run.start.runId);
}

/** What becomes of the task. All but `hold` end the claim. */
function step(space: Namespace, task: WorkflowTask, next: NextStep, now: Millis): void {
  task.blocked = next.do === "block" ? next.reason : null;
  if (next.do !== "block") task.deliveries = 0;
  switch (next.do) {
    case "hold":
      return;
    case "park": {
      // I11: decided in the same write as the park.
      const isUnread = task.inboxLast > task.inboxAcked;
      return giveBack(space, task, isUnread ? Math.min(next.wakeAt ?? now, now) : next.wakeAt, now);
    }
    case "block":
      return giveBack(space, task, next.until, now);
    case "done":
      for (const activity of task.activities.values()) space.tasks.remove(activity);
      space.tasks.remove(task);
      task.run.task = null;
      return;
    default:
      next satisfies never;
  }
}

/** What a holder needs to know next; the same for a commit that was applied before. */
function stateAfter(
  space: Namespace,
  { claim }: WorkflowCommit,
  { task }: RunRecord,
  status: "ok" | "duplicate",
  now: Millis,
): CommitResult {
  const lease = space.tasks.owned(claim)?.lease;
  const inboxLast = task?.inboxLast ?? 0;
  if (task === null || lease == null) return { status, held: false, now, leaseUntil: null, inboxLast, messages: [] };
  return { status, held: true, now, leaseUntil: lease.until, inboxLast, messages: messagesOf(task) };
}
