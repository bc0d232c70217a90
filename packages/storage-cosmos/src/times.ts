import type { Millis } from "@perdure/core/storage";
import type { Activity, Head } from "./documents.ts";
import { CLOCK_ERROR_MS } from "./info.ts";

/** What one step of priority is worth in waiting time (I27: so nothing starves). */
const PRIORITY_STEP_MS = 10_000;

/** What is claimable for a clock: what another has made ready just now is, though that one may be ahead. */
export function horizonOf(now: Millis): Millis {
  return now + CLOCK_ERROR_MS;
}

/** A moment as claims see it: one that is still to come comes later by the error, seen from any clock. */
export function seen(at: Millis, now: Millis): Millis {
  return at > now ? at + 2 * CLOCK_ERROR_MS : at;
}

/** From when on a clock finds what is visible at a moment. */
export function claimableAt(visibleAt: Millis): Millis {
  return visibleAt - CLOCK_ERROR_MS;
}

/** Sets from when on a task may be claimed. */
export function show(task: Head | Activity, visibleAt: Millis | null): void {
  if (visibleAt === null) {
    delete task.visibleAt;
    delete task.rank;
    if (task.t !== "activity") delete task.overdueAt;
    return;
  }
  task.visibleAt = visibleAt;
  task.rank = visibleAt - task.priority * PRIORITY_STEP_MS;
  if (task.t !== "activity" && task.dueAt !== undefined) task.overdueAt = Math.max(visibleAt, task.dueAt);
}

/** Ends a claim, if there is one, and says when the task is ready again. */
export function giveBack(task: Head | Activity, at: Millis | null, now: Millis): void {
  task.lease = null;
  delete task.holder;
  task.readyAt = at;
  show(task, at === null ? null : seen(at, now));
}

/** Sets the end of a lease. */
export function leaseUntil(task: Head | Activity, lease: NonNullable<Head["lease"]>): void {
  task.lease = lease;
  task.holder = lease.workerInstance;
  show(task, lease.until + 2 * CLOCK_ERROR_MS);
}
