import { UsageError } from "../errors/usage-error.ts";
import type { TaskId } from "../model/ids.ts";
import type { Attributes, RunStatus } from "../model/run.ts";
import {
  checkId,
  checkIncarnation,
  checkInstant,
  checkInstantOrNull,
  checkList,
  checkPayload,
  checkPayloadOrNull,
  checkText,
  checkWhole,
  checkWord,
  refuse,
  utf8Bytes,
} from "./argument.ts";
import type { WriteOptions } from "./backend.ts";
import type { CacheKey, NewCacheEntry } from "./cache.ts";
import type { InvalidCommitCode, TaskCommit, WorkflowCommit } from "./commit.ts";
import type { EventRequest, NewEvent } from "./event.ts";
import type { Limits, StorageInfo } from "./info.ts";
import type { NewMessage } from "./message.ts";
import type { PurgeRequest } from "./operations.ts";
import type { NewRun, RunQuery } from "./run.ts";
import type { Claim, ClaimRequest, NewActivityTask } from "./task.ts";

// Every verb of every backend begins with its check from this file, before it writes anything: so the same malformed
// argument is the same typed error everywhere (I29), and no store sees a text or a number that it cannot keep.

/** Bounds of a lease: shorter ones are lost to a slow disk, longer ones hide a dead worker. */
export const LEASE_MS = { min: 300, max: 3_600_000 } as const;

/** Bounds of a priority. */
export const PRIORITY = { min: -9, max: 9 } as const;

const RUN_STATUSES: readonly RunStatus[] = ["open", "completed", "failed", "cancelled"];
const CLOSED_STATUSES: readonly RunStatus[] = ["completed", "failed", "cancelled"];

/** Length of the longest id that `activityTaskId` mints: incarnation, dot, seq, colon, run id. */
const TASK_ID_BYTES = 64 + 1 + 16 + 1 + 255;

/** @throws UsageError `invalid-argument` for a batch of more elements than the backend takes. */
export function checkBatch(count: number, limits: Limits): void {
  if (count > limits.batch) refuse("The batch", `of at most ${limits.batch} elements, not ${count}`);
}

/** @throws UsageError `unsupported` for a transaction that the backend does not declare for this verb. */
export function checkTransaction(
  verb: StorageInfo["capabilities"]["transactions"][number],
  options: WriteOptions | undefined,
  info: StorageInfo,
): void {
  if (options?.tx === undefined || info.capabilities.transactions.includes(verb)) return;
  throw new UsageError(
    "unsupported",
    `Storage "${info.name}" cannot join a transaction of yours in ${verb}. Leave out tx, or use a backend that declares it.`,
    { details: { storage: info.name, verb } },
  );
}

/** The name of a namespace: an id like any other. */
export function checkNamespace(namespace: string): void {
  checkId(namespace, "namespace");
}

/** A run id, as `getRun` takes it. */
export function checkRunId(runId: string): void {
  checkId(runId, "runId");
}

export function checkNewRuns(runs: readonly NewRun[], limits: Limits): void {
  checkBatch(runs.length, limits);
  for (const run of runs) {
    checkId(run.runId, "NewRun.runId");
    checkIncarnation(run.incarnation, "NewRun.incarnation");
    checkId(run.workflow, "NewRun.workflow");
    if (run.version !== null) checkId(run.version, "NewRun.version");
    checkId(run.queue, "NewRun.queue");
    checkWhole(run.priority, "NewRun.priority", PRIORITY.min, PRIORITY.max);
    checkId(run.startHash, "NewRun.startHash");
    if (run.parent !== null) {
      checkId(run.parent.runId, "NewRun.parent.runId");
      checkIncarnation(run.parent.incarnation, "NewRun.parent.incarnation");
      checkWhole(run.parent.seq, "NewRun.parent.seq", 1);
    }
    if (run.parentClose !== null) checkWord(run.parentClose, "NewRun.parentClose", ["cancel", "terminate", "abandon"]);
    checkPayload(run.input, "NewRun.input", limits.payloadBytes);
    checkPayloadOrNull(run.state, "NewRun.state", limits.payloadBytes);
    checkAttributes(run.attributes, "NewRun.attributes");
    checkInstantOrNull(run.readyAt, "NewRun.readyAt");
    checkInstantOrNull(run.deadlineAt, "NewRun.deadlineAt");
    checkEvent(run.started, "NewRun.started", limits);
  }
}

export function checkMessages(messages: readonly NewMessage[], limits: Limits): void {
  checkBatch(messages.length, limits);
  for (const message of messages) checkMessage(message, limits);
}

export function checkEventRequests(requests: readonly EventRequest[], limits: Limits): void {
  checkBatch(requests.length, limits);
  for (const request of requests) {
    checkId(request.runId, "EventRequest.runId");
    if (request.incarnation !== undefined) checkIncarnation(request.incarnation, "EventRequest.incarnation");
    checkWhole(request.after, "EventRequest.after", 0);
    if (request.limit !== undefined) checkWhole(request.limit, "EventRequest.limit", 1);
  }
}

export function checkClaimRequest(request: ClaimRequest, limits: Limits): void {
  checkId(request.workerId, "ClaimRequest.workerId");
  checkId(request.workerInstance, "ClaimRequest.workerInstance");
  checkTaskIds(request.holding, limits, "ClaimRequest.holding");
  checkIds(request.queues, "ClaimRequest.queues", limits);
  checkList(request.kinds, "ClaimRequest.kinds", 2);
  for (const kind of request.kinds) checkWord(kind, "ClaimRequest.kinds", ["workflow", "activity"]);
  checkIds(request.handlers.workflows, "ClaimRequest.handlers.workflows", limits);
  checkIds(request.handlers.activities, "ClaimRequest.handlers.activities", limits);
  checkWhole(request.limit, "ClaimRequest.limit", 1);
  checkLeaseMs(request.leaseMs);
  checkWhole(request.inlineEvents, "ClaimRequest.inlineEvents", 0);
  if (request.taskIds !== undefined) checkTaskIds(request.taskIds, limits, "ClaimRequest.taskIds");
}

export function checkLeaseMs(leaseMs: number): void {
  checkWhole(leaseMs, "leaseMs", LEASE_MS.min, LEASE_MS.max);
}

/** The claims of a renewal. */
export function checkClaims(claims: readonly Claim[], limits: Limits): void {
  checkBatch(claims.length, limits);
  for (const claim of claims) checkClaim(claim, "Claim");
}

/** The ids of an unblocking, or of a list of tasks in a request. */
export function checkTaskIds(taskIds: readonly TaskId[], limits: Limits, field = "taskIds"): void {
  checkList(taskIds, field, limits.batch);
  for (const taskId of taskIds) checkText(taskId, field, 1, TASK_ID_BYTES);
}

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

export function checkRunQuery(query: RunQuery): void {
  if (query.status !== undefined) checkWords(query.status, "RunQuery.status", RUN_STATUSES);
  if (query.workflow !== undefined) checkId(query.workflow, "RunQuery.workflow");
  if (query.queue !== undefined) checkId(query.queue, "RunQuery.queue");
  if (query.parentRunId !== undefined) checkId(query.parentRunId, "RunQuery.parentRunId");
  if (query.attributes !== undefined) checkAttributes(query.attributes, "RunQuery.attributes");
  if (query.createdAfter !== undefined) checkInstant(query.createdAfter, "RunQuery.createdAfter");
  if (query.createdBefore !== undefined) checkInstant(query.createdBefore, "RunQuery.createdBefore");
  checkWhole(query.limit, "RunQuery.limit", 1, 1000);
}

export function checkCacheKeys(keys: readonly CacheKey[], limits: Limits): void {
  checkBatch(keys.length, limits);
  for (const key of keys) checkText(key, "CacheKey", 1, 512);
}

export function checkCacheEntries(entries: readonly NewCacheEntry[], limits: Limits): void {
  checkBatch(entries.length, limits);
  for (const entry of entries) {
    checkText(entry.key, "NewCacheEntry.key", 1, 512);
    checkPayload(entry.value, "NewCacheEntry.value", limits.payloadBytes);
    checkInstantOrNull(entry.expiresAt, "NewCacheEntry.expiresAt");
    checkWord(entry.mode, "NewCacheEntry.mode", ["first", "replace"]);
    if (entry.owner !== undefined) checkClaim(entry.owner, "NewCacheEntry.owner");
  }
}

export function checkPurgeRequest(request: PurgeRequest, limits: Limits): void {
  checkInstant(request.closedBefore, "PurgeRequest.closedBefore");
  if (request.minAgeMs !== undefined) checkInstant(request.minAgeMs, "PurgeRequest.minAgeMs");
  if (request.status !== undefined) checkWords(request.status, "PurgeRequest.status", CLOSED_STATUSES);
  if (request.runIds !== undefined) checkIds(request.runIds, "PurgeRequest.runIds", limits);
  checkWhole(request.limit, "PurgeRequest.limit", 1);
}

function checkWorkflowCommit(commit: WorkflowCommit, limits: Limits): void {
  const { claim, next, run, close } = commit;
  checkWhole(commit.expectedSeq, "WorkflowCommit.expectedSeq", 1);
  checkWhole(commit.ackInbox, "WorkflowCommit.ackInbox", 0);
  for (const event of commit.events) checkEvent(event, "WorkflowCommit.events", limits);
  if (commit.schedule !== undefined) checkSchedule(commit.schedule, claim, limits);
  if (commit.cancel !== undefined) {
    for (const taskId of commit.cancel) checkText(taskId, "WorkflowCommit.cancel", 1, TASK_ID_BYTES);
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

function checkActivityStep(
  claim: Claim,
  next: Extract<TaskCommit, { kind: "activity" }>["next"],
  limits: Limits,
): void {
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
  const ours = `${claim.incarnation}.`;
  const suffix = `:${claim.runId}`;
  const seen = new Set<TaskId>();
  for (const task of tasks) {
    checkText(task.taskId, "NewActivityTask.taskId", 1, TASK_ID_BYTES);
    if (!task.taskId.startsWith(ours) || !task.taskId.endsWith(suffix)) {
      refuse("NewActivityTask.taskId", "minted by activityTaskId for the run of the claim");
    }
    if (seen.has(task.taskId)) refuse("NewActivityTask.taskId", "in one commit only once");
    seen.add(task.taskId);
    checkId(task.activity, "NewActivityTask.activity");
    checkId(task.queue, "NewActivityTask.queue");
    checkWhole(task.priority, "NewActivityTask.priority", PRIORITY.min, PRIORITY.max);
    checkPayload(task.input, "NewActivityTask.input", limits.payloadBytes);
    checkWhole(task.attempt, "NewActivityTask.attempt", 1);
    checkInstantOrNull(task.readyAt, "NewActivityTask.readyAt");
    checkPayloadOrNull(task.details, "NewActivityTask.details", limits.payloadBytes);
  }
}

function checkClaim(claim: Claim, field: string): void {
  checkText(claim.taskId, field, 1, TASK_ID_BYTES);
  checkId(claim.runId, field);
  checkIncarnation(claim.incarnation, field);
  checkWhole(claim.epoch, field, 1);
}

function checkMessage(message: NewMessage, limits: Limits): void {
  checkId(message.runId, "NewMessage.runId");
  if (message.incarnation !== undefined) checkIncarnation(message.incarnation, "NewMessage.incarnation");
  checkId(message.dedupeId, "NewMessage.dedupeId");
  checkPayload(message.data, "NewMessage.data", limits.payloadBytes);
}

function checkEvent(event: NewEvent, field: string, limits: Limits): void {
  checkId(event.type, field);
  if (event.command !== null) checkWhole(event.command, field, 0);
  checkInstant(event.at, field);
  checkPayload(event.data, field, limits.payloadBytes);
}

function checkAttributes(attributes: Attributes, field: string): void {
  for (const [name, value] of Object.entries(attributes)) {
    checkId(name, field);
    if (typeof value === "string") checkText(value, field, 0, 255);
    else if (typeof value === "number" ? !Number.isFinite(value) : typeof value !== "boolean") {
      refuse(field, "texts, finite numbers or booleans");
    }
  }
}

function checkIds(ids: readonly string[], field: string, limits: Limits): void {
  checkList(ids, field, limits.batch);
  for (const id of ids) checkId(id, field);
}

function checkWords(words: readonly string[], field: string, allowed: readonly string[]): void {
  checkList(words, field, allowed.length);
  for (const word of words) checkWord(word, field, allowed);
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
