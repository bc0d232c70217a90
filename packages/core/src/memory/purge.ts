import type { Millis } from "../model/ids.ts";
import type { Limits } from "../storage/info.ts";
import type { PurgeRequest, PurgeResult } from "../storage/operations.ts";
import { PURGE_AGE_MS } from "../storage/validate.ts";
import { deleteCacheOf } from "./cache.ts";
import type { RunRecord } from "./records.ts";
import type { Namespace } from "./store.ts";

/** `purgeRuns`: oldest first. */
export function purgeRuns(space: Namespace, request: PurgeRequest, limits: Limits, now: Millis): PurgeResult {
  const { doomed, more } = findPurgeable(space, request, limits, now);
  removeRuns(space, doomed);
  return { purged: doomed.size, more };
}

/** The runs that a purge deletes, oldest first, and whether there are more of them. */
export function findPurgeable(
  space: Namespace,
  request: PurgeRequest,
  limits: Limits,
  now: Millis,
): { readonly doomed: ReadonlySet<RunRecord>; readonly more: boolean } {
  const limit = Math.min(request.limit, limits.purgeRuns);
  const doomed = new Set<RunRecord>();
  let more = false;
  for (const run of candidates(space, request)) {
    if (doomed.has(run) || !isPurgeable(space, run, request, now)) continue;
    more = doomed.size === limit;
    if (more) break;
    doomed.add(run);
  }
  return { doomed, more };
}

/** A run's record holds everything of it but its cache entries (I26). */
export function removeRuns(space: Namespace, runs: ReadonlySet<RunRecord>): void {
  for (const run of runs) deleteCacheOf(space, run);
  space.runs.removeAll(runs);
}

function candidates(space: Namespace, { runIds }: PurgeRequest): Iterable<RunRecord> {
  if (runIds === undefined) return space.runs.oldestFirst();
  return runIds.map((runId) => space.runs.get(runId)).filter((run) => run !== undefined);
}

function isPurgeable(space: Namespace, run: RunRecord, request: PurgeRequest, now: Millis): boolean {
  const { closedBefore, minAgeMs = PURGE_AGE_MS, status } = request;
  const { closedAt } = run;
  if (run.task !== null || run.status === "open" || closedAt === null) return false;
  if (closedAt >= closedBefore || closedAt > now - minAgeMs) return false;
  if (status !== undefined && !status.includes(run.status)) return false;
  const { parent } = run.start;
  return parent === null || (space.run(parent.runId, parent.incarnation)?.status ?? "closed") !== "open";
}
