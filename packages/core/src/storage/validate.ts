import { UsageError } from "../errors/usage-error.ts";
import type { TaskId } from "../model/ids.ts";
import {
  checkBatch,
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
} from "./argument.ts";
import type { WriteOptions } from "./backend.ts";
import type { CacheKey, NewCacheEntry } from "./cache.ts";
import {
  checkAttributes,
  checkClaim,
  checkEvent,
  checkIds,
  checkMessage,
  checkPriority,
  checkTaskId,
  checkWords,
  CLOSED_STATUSES,
} from "./element.ts";
import type { EventRequest } from "./event.ts";
import type { Limits, StorageInfo, TransactionalVerb } from "./info.ts";
import type { NewMessage } from "./message.ts";
import type { PurgeRequest } from "./operations.ts";
import type { NewRun, RunQuery } from "./run.ts";
import type { Claim, ClaimRequest } from "./task.ts";

export { checkBatch } from "./argument.ts";
export { checkCommit, checkCommits } from "./validate-commit.ts";

// What `verbChecks` is made of. Every backend calls these before it writes anything: so the same malformed argument is the
// same typed error everywhere (I29), and no store sees a text or a number that it cannot keep.

/** Bounds of a lease: shorter ones are lost to a slow disk, longer ones hide a dead worker. */
export const LEASE_MS = { min: 300, max: 3_600_000 } as const;

/** How long ago a run must have closed before it is purged, unless the request says otherwise. */
export const PURGE_AGE_MS = 3_600_000;

/** @throws UsageError `unsupported` for a transaction that the backend does not declare for this verb. */
export function checkTransaction(verb: TransactionalVerb, options: WriteOptions | undefined, info: StorageInfo): void {
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

/** The runs of `createRuns`. */
export function checkNewRuns(runs: readonly NewRun[], limits: Limits): void {
  checkBatch(runs.length, limits);
  for (const run of runs) {
    checkId(run.runId, "NewRun.runId");
    checkIncarnation(run.incarnation, "NewRun.incarnation");
    checkId(run.workflow, "NewRun.workflow");
    if (run.version !== null) checkId(run.version, "NewRun.version");
    checkId(run.queue, "NewRun.queue");
    checkPriority(run.priority, "NewRun.priority");
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

/** The messages of `deliver`. */
export function checkMessages(messages: readonly NewMessage[], limits: Limits): void {
  checkBatch(messages.length, limits);
  for (const message of messages) checkMessage(message, limits);
}

/** The requests of `readEvents`. */
export function checkEventRequests(requests: readonly EventRequest[], limits: Limits): void {
  checkBatch(requests.length, limits);
  for (const request of requests) {
    checkId(request.runId, "EventRequest.runId");
    if (request.incarnation !== undefined) checkIncarnation(request.incarnation, "EventRequest.incarnation");
    checkWhole(request.after, "EventRequest.after", 0);
    if (request.limit !== undefined) checkWhole(request.limit, "EventRequest.limit", 1);
  }
}

/** The request of `claimTasks`. */
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

/** The length of a lease. */
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
  for (const taskId of taskIds) checkTaskId(taskId, field);
}

/** The query of `listRuns`. */
export function checkRunQuery(query: RunQuery): void {
  if (query.status !== undefined) checkWords(query.status, "RunQuery.status", ["open", ...CLOSED_STATUSES]);
  if (query.workflow !== undefined) checkId(query.workflow, "RunQuery.workflow");
  if (query.queue !== undefined) checkId(query.queue, "RunQuery.queue");
  if (query.parentRunId !== undefined) checkId(query.parentRunId, "RunQuery.parentRunId");
  if (query.attributes !== undefined) checkAttributes(query.attributes, "RunQuery.attributes");
  if (query.createdAfter !== undefined) checkInstant(query.createdAfter, "RunQuery.createdAfter");
  if (query.createdBefore !== undefined) checkInstant(query.createdBefore, "RunQuery.createdBefore");
  checkWhole(query.limit, "RunQuery.limit", 1, 1000);
}

/** The keys of `readCache`. */
export function checkCacheKeys(keys: readonly CacheKey[], limits: Limits): void {
  checkBatch(keys.length, limits);
  for (const key of keys) checkText(key, "CacheKey", 1, 512);
}

/** The entries of `writeCache`. */
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

/** The request of `purgeRuns`. */
export function checkPurgeRequest(request: PurgeRequest, limits: Limits): void {
  checkInstant(request.closedBefore, "PurgeRequest.closedBefore");
  if (request.minAgeMs !== undefined) checkInstant(request.minAgeMs, "PurgeRequest.minAgeMs");
  if (request.status !== undefined) checkWords(request.status, "PurgeRequest.status", CLOSED_STATUSES);
  if (request.runIds !== undefined) checkIds(request.runIds, "PurgeRequest.runIds", limits);
  checkWhole(request.limit, "PurgeRequest.limit", 1);
}
