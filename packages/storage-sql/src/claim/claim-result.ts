import type { ClaimedTask, ClaimResult, Millis } from "@perdure/core/storage";
import { timeWith } from "../inbox.ts";

/** The answer to a claim that was decided at a time. */
export function claimResult(now: Millis, tasks: readonly ClaimedTask[], nextReadyAt: Millis | null): ClaimResult {
  const messages = tasks.flatMap((task) => (task.kind === "workflow" ? task.messages : []));
  return { now: timeWith(now, messages), tasks, nextReadyAt };
}
