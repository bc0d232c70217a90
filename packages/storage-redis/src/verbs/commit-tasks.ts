import {
  type ActivityCommit,
  checkCommit,
  type Claim,
  type CommitResult,
  type InvalidCommitCode,
  type Millis,
  type NewActivityTask,
  parseTaskId,
  type TaskCommit,
  type TaskId,
  type WorkflowCommit,
} from "@perdure/core/storage";
import { attributeIndexesOf } from "../header.ts";
import { LIMITS } from "../info.ts";
import { laneOf } from "../lane.ts";
import { eventText, instantOf, listOf, messagesOf, numberOf, type Reply } from "../reply.ts";
import type { Argument, Encoded } from "../shards.ts";

/** Says of each commit of a batch, in order, whether it is the second workflow commit of its task. */
export function seconds(commits: readonly TaskCommit[]): boolean[] {
  const seen = new Set<TaskId>();
  return commits.map(({ kind, claim }) => {
    if (kind === "activity") return false;
    const isSecond = seen.has(claim.taskId);
    seen.add(claim.taskId);
    return isSecond;
  });
}

/** What the script is given: the names that it says it reads. */
export function encodeCommit(commit: TaskCommit, isSecond: boolean): Encoded {
  return commit.kind === "workflow" ? encodeWorkflow(commit, isSecond) : encodeActivity(commit);
}

function encodeWorkflow(commit: WorkflowCommit, isSecond: boolean): Encoded {
  const { claim, next, run, close } = commit;
  const address = parseTaskId(claim.taskId);
  const isOwn = address?.seq === 0 && isOf(claim, address);
  const code = isSecond ? "second-commit-in-batch" : checkCommit(commit, LIMITS);
  // One that is malformed by itself is refused by the script, if its claim is good: then nothing else of it is looked at.
  const { events, schedule = [], cancel = [] } = code === undefined ? commit : { events: [] };
  const cancelled = cancel.filter((taskId) => {
    const task = parseTaskId(taskId);
    return task !== undefined && task.seq > 0 && isOf(claim, task);
  });
  return {
    kind: "workflow",
    run_id: claim.runId,
    incarnation: claim.incarnation,
    epoch: isOwn ? claim.epoch : 0,
    commit_id: commit.commitId,
    code,
    expected: commit.expectedSeq,
    ack: commit.ackInbox,
    step: next.do,
    step_at: given(next.do === "park" ? next.wakeAt : next.do === "block" ? next.until : null),
    reason: next.do === "block" ? next.reason : undefined,
    events: some(events.map(eventText)),
    schedule: some(schedule.map(encodeTask)),
    cancel: some(cancelled),
    state: given(run?.state),
    attributes: run?.attributes && JSON.stringify(run.attributes),
    attribute_indexes: run?.attributes && attributeIndexesOf(run.attributes),
    base: given(run?.baseSeq),
    close: close?.status,
    discards: close?.discardUnread,
    output: given(close?.output),
    failure: given(close?.failure),
  };
}

function encodeTask(task: NewActivityTask): readonly Argument[] {
  const { taskId, activity, queue, priority, readyAt, input, attempt, details } = task;
  return [taskId, laneOf("activity", queue, activity), priority, readyAt, input, attempt, details];
}

function encodeActivity({ claim, commitId, next }: ActivityCommit): Encoded {
  const address = parseTaskId(claim.taskId);
  const retry = next.do === "retry" ? next : undefined;
  const message = next.do === "complete" ? next.message : undefined;
  return {
    kind: "activity",
    task_id: claim.taskId,
    run_id: claim.runId,
    incarnation: claim.incarnation,
    epoch: address !== undefined && isOf(claim, address) ? claim.epoch : 0,
    commit_id: commitId,
    step: next.do,
    at: retry?.at,
    attempt: retry?.attempt,
    details: given(retry?.details),
    dedupe_id: message?.dedupeId,
    is_external: message?.external,
    data: message?.data,
  };
}

/** What is nothing is not sent. */
function given<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}

/** What is empty is not sent. */
function some<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

function isOf(claim: Claim, { runId, incarnation }: { readonly runId: string; readonly incarnation: string }): boolean {
  return claim.runId === runId && claim.incarnation === incarnation;
}

export function committed(reply: Reply | undefined, now: Millis): CommitResult {
  const [status, ...fields] = listOf(reply);
  switch (status as CommitResult["status"]) {
    case "ok":
    case "duplicate": {
      const [leaseUntil, inboxLast, messages] = fields;
      return {
        status: status as "ok" | "duplicate",
        held: leaseUntil !== "",
        now,
        leaseUntil: instantOf(leaseUntil),
        inboxLast: numberOf(inboxLast),
        messages: messagesOf(messages),
      };
    }
    case "conflict":
      return { status: "conflict", lastSeq: numberOf(fields[0]) };
    case "unread":
      return { status: "unread", messages: messagesOf(fields[0]) };
    case "invalid":
      return { status: "invalid", code: fields[0] as InvalidCommitCode };
    case "lease-lost":
      return { status: "lease-lost" };
  }
}
