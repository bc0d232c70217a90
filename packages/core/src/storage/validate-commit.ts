import { parseTaskId, type TaskId } from "../model/ids.ts";
import {
  checkBatch,
  checkId,
  checkInstant,
  checkInstantOrNull,
  checkPayload,
  checkPayloadOrNull,
  checkText,
  checkWhole,
  checkWord,
  refuse,
  utf8Bytes,
} from "./argument.ts";
import type { WriteOptions } from "./backend.ts";
import type { ActivityCommit, InvalidCommitCode, TaskCommit, WorkflowCommit } from "./commit.ts";
import {
  checkAttributes,
  checkClaim,
  checkEvent,
  checkMessage,
  checkPriority,
  checkTaskId,
  CLOSED_STATUSES,
} from "./element.ts";
import type { Limits } from "./info.ts";
import type { Claim, NewActivityTask } from "./task.ts";

/**
 * What makes a commit a malformed argument. What makes it an `invalid` answer is {@link checkCommit}'s business.
 * @throws UsageError `invalid-argument` or `payload-too-large`; nothing of the whole batch is written then.
 */
export function checkCommits(commits: readonly TaskCommit[], limits: Limits, options?: WriteOptions): void {
  checkBatch(commits.length, limits);
  for (const commit of commits) {
    if (options?.tx !== undefined && commit.kind !== "activity")
      refuse("WriteOptions.tx", "left out for workflow commits");
    checkWord(commit.kind, "TaskCommit.kind", ["workflow", "activity"]);
    checkClaim(commit.claim, "TaskCommit.claim");
    checkText(commit.commitId, "TaskCommit.commitId", 1, 64);
    if (commit.kind === "workflow") checkWorkflowCommit(commit, limits);
    else checkActivityStep(commit.claim, commit.next, limits);
  }
}

/**
 * The rules of a commit's own shape whose breach is an answer, decided after the lease (I29). Those that need the task
 * (`close-twice`, `done-without-close`, `ack-out-of-range`, `second-commit-in-batch`) are the backend's.
 */
export function checkCommit(commit: TaskCommit, limits: Limits): InvalidCommitCode | undefined {
  if (commit.kind === "activity") return undefined;
  if (commit.next.do === "hold" && commit.events.length === 0) return "hold-without-events";
  if (commit.events.length > limits.eventsPerCommit) return "too-many-events";
  if ((commit.schedule?.length ?? 0) > limits.tasksPerCommit) return "too-many-tasks";
  return isOver(commit, limits.commitBytes) ? "too-large" : undefined;
}

function checkWorkflowCommit(commit: WorkflowCommit, limits: Limits): void {
  const { claim, next, run, close } = commit;
  checkWhole(commit.expectedSeq, "WorkflowCommit.expectedSeq", 1);
  checkWhole(commit.ackInbox, "WorkflowCommit.ackInbox", 0);
  for (const event of commit.events) checkEvent(event, "WorkflowCommit.events", limits);
  if (commit.schedule !== undefined) checkSchedule(commit.schedule, claim, limits);
  if (commit.cancel !== undefined) {
    for (const taskId of commit.cancel) checkTaskId(taskId, "WorkflowCommit.cancel");
  }
  if (run !== undefined) {
    if (run.state !== undefined) checkPayload(run.state, "WorkflowCommit.run.state", limits.payloadBytes);
    if (run.attributes !== undefined) checkAttributes(run.attributes, "WorkflowCommit.run.attributes");
    if (run.baseSeq !== undefined) {
      checkWhole(run.baseSeq, "WorkflowCommit.run.baseSeq", 0, commit.expectedSeq + commit.events.length);
    }
  }
  if (close !== undefined) {
    checkWord(close.status, "WorkflowCommit.close.status", CLOSED_STATUSES);
    if (close.output !== undefined) checkPayload(close.output, "WorkflowCommit.close.output", limits.payloadBytes);
    if (close.failure !== undefined) checkPayload(close.failure, "WorkflowCommit.close.failure", limits.payloadBytes);
  }
  switch (next.do) {
    case "hold":
    case "done":
      return;
    case "park":
      return checkInstantOrNull(next.wakeAt, "WorkflowCommit.next.wakeAt");
    case "block":
      checkPayload(next.reason, "WorkflowCommit.next.reason", limits.payloadBytes);
      return checkInstantOrNull(next.until, "WorkflowCommit.next.until");
    default:
      return refuse("WorkflowCommit.next.do", "one of hold, park, block, done") satisfies never;
  }
}

function checkActivityStep(claim: Claim, next: ActivityCommit["next"], limits: Limits): void {
  switch (next.do) {
    case "complete":
      checkMessage(next.message, limits);
      if (next.message.runId !== claim.runId || (next.message.incarnation ?? claim.incarnation) !== claim.incarnation) {
        refuse("ActivityCommit.next.message", "addressed to the run of the claim");
      }
      return;
    case "retry":
      checkInstant(next.at, "ActivityCommit.next.at");
      checkWhole(next.attempt, "ActivityCommit.next.attempt", 1);
      if (next.details !== undefined) checkPayload(next.details, "ActivityCommit.next.details", limits.payloadBytes);
      return;
    case "release":
      return;
    default:
      return refuse("ActivityCommit.next.do", "one of complete, retry, release") satisfies never;
  }
}

function checkSchedule(tasks: readonly NewActivityTask[], claim: Claim, limits: Limits): void {
  const seen = new Set<TaskId>();
  for (const task of tasks) {
    checkTaskId(task.taskId, "NewActivityTask.taskId");
    const address = parseTaskId(task.taskId);
    if (address?.runId !== claim.runId || address.incarnation !== claim.incarnation || address.seq === 0) {
      refuse("NewActivityTask.taskId", "minted by activityTaskId for the run of the claim");
    }
    if (seen.has(task.taskId)) refuse("NewActivityTask.taskId", "in one commit only once");
    seen.add(task.taskId);
    checkId(task.activity, "NewActivityTask.activity");
    checkId(task.queue, "NewActivityTask.queue");
    checkPriority(task.priority, "NewActivityTask.priority");
    checkPayload(task.input, "NewActivityTask.input", limits.payloadBytes);
    checkWhole(task.attempt, "NewActivityTask.attempt", 1);
    checkInstantOrNull(task.readyAt, "NewActivityTask.readyAt");
    checkPayloadOrNull(task.details, "NewActivityTask.details", limits.payloadBytes);
  }
}

/** Whether all payloads of a commit together are over a limit; bytes are counted only when lengths leave that open. */
function isOver(commit: WorkflowCommit, maxBytes: number): boolean {
  return sumOfPayloads(commit, (text) => text.length) * 3 > maxBytes && sumOfPayloads(commit, utf8Bytes) > maxBytes;
}

function sumOfPayloads({ events, schedule, run, close, next }: WorkflowCommit, size: (text: string) => number): number {
  let sum = size(run?.state ?? "") + size(close?.output ?? "") + size(close?.failure ?? "");
  for (const event of events) sum += size(event.data);
  for (const task of schedule ?? []) sum += size(task.input) + size(task.details ?? "");
  return next.do === "block" ? sum + size(next.reason) : sum;
}
