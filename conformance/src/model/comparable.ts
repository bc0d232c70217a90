import type { ClaimResult, Millis, Page, RunSummary } from "@perdure/core/storage";
import type { Exchange } from "./call.ts";
import { inSteps } from "./steps.ts";

export interface Comparison {
  /** When the sequence began. */
  readonly origin: Millis;
  /** A run was purged, and messages that it discarded may count no longer. */
  readonly purged: boolean;
  /** Answers to claims were lost: what is handed out again comes in any order. */
  readonly anyOrder: boolean;
  /** Other calls were under way: when a claim says to look again does not count; `linearize` says why. */
  readonly inPart?: boolean;
}

/** An answer without what two right stores may answer differently. */
export function comparable(exchange: Exchange, { origin, purged, anyOrder, inPart }: Comparison): unknown {
  switch (exchange.verb) {
    case "claimTasks": {
      const { nextReadyAt, ...taken } = claim(exchange.answer, anyOrder || exchange.args[0].taskIds !== undefined);
      return inSteps(inPart === true ? taken : { ...taken, nextReadyAt }, origin);
    }
    case "listRuns":
      return inSteps(listing(exchange.answer), origin);
    case "stats": {
      const { discardedMessages, ...counts } = exchange.answer;
      return inSteps(purged ? counts : { ...counts, discardedMessages }, origin);
    }
    default:
      return inSteps(exchange.answer, origin);
  }
}

/** Ready tasks that were left may be said to be ready now, or since when. */
function claim(answer: ClaimResult, anyOrder: boolean): ClaimResult {
  const { now, nextReadyAt, tasks } = answer;
  const inOrder = anyOrder ? tasks.toSorted((a, b) => (a.claim.taskId < b.claim.taskId ? -1 : 1)) : tasks;
  return { ...answer, tasks: inOrder, nextReadyAt: nextReadyAt === null ? null : Math.max(nextReadyAt, now) };
}

/** The order within a step is by milliseconds: the store's own, which `inPages` has seen to. */
function listing({ items }: Page<RunSummary>): unknown {
  return items.toSorted((a, b) => (a.runId < b.runId ? -1 : 1));
}
