import type { StorageBackend } from "./backend.ts";
import { decodeCursor } from "./cursor.ts";
import type { StorageInfo } from "./info.ts";
import {
  checkCacheEntries,
  checkCacheKeys,
  checkClaimRequest,
  checkClaims,
  checkCommits,
  checkEventRequests,
  checkLeaseMs,
  checkMessages,
  checkNewRuns,
  checkPurgeRequest,
  checkRunId,
  checkRunQuery,
  checkTaskIds,
  checkTransaction,
} from "./validate.ts";

/** The verbs that take arguments of the engine's making. */
type CheckedVerb = Exclude<keyof StorageBackend, "info" | "setup" | "close" | "now" | "stats" | "subscribe" | "partOf">;

/** A check for each verb, with the verb's own arguments. */
export type VerbChecks = {
  readonly [V in CheckedVerb]: (...args: Parameters<StorageBackend[V]>) => void;
};

/**
 * What every verb of a backend calls first, with all that it was given: `checks.renewLeases(claims, leaseMs)`. Each throws
 * `UsageError` for what the backend has to refuse before it writes anything.
 */
export function verbChecks(info: StorageInfo): VerbChecks {
  const { limits } = info;
  return {
    createRuns(runs, options) {
      checkTransaction("createRuns", options, info);
      checkNewRuns(runs, limits);
    },
    getRun: checkRunId,
    listRuns(query) {
      checkRunQuery(query);
      if (query.cursor !== undefined) decodeCursor(query.cursor);
    },
    readEvents: (requests) => checkEventRequests(requests, limits),
    claimTasks: (request) => checkClaimRequest(request, limits),
    renewLeases(claims, leaseMs) {
      checkClaims(claims, limits);
      checkLeaseMs(leaseMs);
    },
    commitTasks(commits, options) {
      checkTransaction("commitTasks", options, info);
      checkCommits(commits, limits, options);
    },
    unblockTasks: (taskIds) => checkTaskIds(taskIds, limits),
    deliver(messages, options) {
      checkTransaction("deliver", options, info);
      checkMessages(messages, limits);
    },
    readCache: (keys) => checkCacheKeys(keys, limits),
    writeCache: (entries) => checkCacheEntries(entries, limits),
    purgeRuns: (request) => checkPurgeRequest(request, limits),
  };
}
