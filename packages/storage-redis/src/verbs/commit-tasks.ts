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
import type { Argument } from "../shards.ts";

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

export function encodeCommit(commit: TaskCommit, isSecond: boolean): readonly Argument[] {
  return commit.kind === "workflow" ? encodeWorkflow(commit, isSecond) : encodeActivity(commit);
}

function encodeWorkflow(commit: WorkflowCommit, isSecond: boolean): readonly Argument[] {
  const { claim, next, run, close } = commit;
  const address = parseTaskId(claim.taskId);
  const isOwn = address?.seq === 0 && isOf(claim, address);
  const code = isSecond ? "second-commit-in-batch" : (checkCommit(commit, LIMITS) ?? null);
  // One that is malformed by itself is refused by the script, if its claim is good: then nothing else of it is looked at.
  const { events, schedule = [], cancel = [] } = code === null ? commit : { events: [] };
  const cancelled = cancel.filter((taskId) => {
    const task = parseTaskId(taskId);
    return task !== undefined && task.seq > 0 && isOf(claim, task);
  });
  return [
    "workflow",
    claim.runId,
    claim.incarnation,
    isOwn ? claim.epoch : 0,
    commit.commitId,
    code,
    commit.expectedSeq,
    commit.ackInbox,
    next.do,
    next.do === "park" ? next.wakeAt : next.do === "block" ? next.until : null,
    next.do === "block" ? next.reason : null,
    events.map(eventText),
    schedule.map(encodeTask),
    cancelled,
    run?.state ?? null,
    run?.attributes === undefined ? null : JSON.stringify(run.attributes),
    attributeIndexesOf(run?.attributes ?? {}),
    run?.baseSeq ?? null,
    close?.status ?? null,
    close?.discardUnread === true,
    close?.output ?? null,
    close?.failure ?? null,
  ];
}

function encodeTask(task: NewActivityTask): readonly Argument[] {
  const { taskId, activity, queue, priority, readyAt, input, attempt, details } = task;
  return [taskId, laneOf("activity", queue, activity), priority, readyAt, input, attempt, details];
}

function encodeActivity({ claim, commitId, next }: ActivityCommit): readonly Argument[] {
  const address = parseTaskId(claim.taskId);
  const retry = next.do === "retry" ? next : undefined;
  const message = next.do === "complete" ? next.message : undefined;
  return [
    "activity",
    claim.taskId,
    claim.runId,
    claim.incarnation,
    address !== undefined && isOf(claim, address) ? claim.epoch : 0,
    commitId,
    next.do,
    retry?.at ?? null,
    retry?.attempt ?? null,
    retry?.details ?? null,
    message?.dedupeId ?? null,
    message?.external ?? null,
    message?.data ?? null,
  ];
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
