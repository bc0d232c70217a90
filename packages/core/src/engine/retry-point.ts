import { isTerminal, type EventType, type WorkflowEvent } from "../model/event.ts";
import type { Seq } from "../model/ids.ts";

/** What a run has got done, or got from others. A retry that forgot one of these would undo it behind somebody's back. */
const ACHIEVED: ReadonlySet<string> = new Set<EventType>([
  "WORKFLOW_STARTED",
  "WORKFLOW_CONTINUED_AS_NEW",
  "FORKED",
  "ACTIVITY_COMPLETED",
  "CHILD_SCHEDULED",
  "CHILD_COMPLETED",
  "SIGNAL_SENT",
  "SIGNAL_RECEIVED",
  "CANCEL_REQUESTED",
]);

/**
 * The first event of a failed run that a retry leaves out: the first activity or child failure after which the run achieved nothing,
 * else its terminal event. So what failed is tried again, and neither what succeeded nor a compensation is repeated or forgotten.
 */
export function failedAt(history: readonly WorkflowEvent[]): Seq {
  let cut = history.at(-1)!.seq;
  for (const { type, seq } of history.toReversed()) {
    if (ACHIEVED.has(type)) break;
    if (type === "ACTIVITY_FAILED" || type === "CHILD_FAILED") cut = seq;
  }
  return cut;
}

/**
 * The first event of a cancelled run that a retry leaves out: the request to cancel, or the end of a run that was terminated. `achieved`
 * is the first thing that the run got done after it, if there is any.
 */
export function cancelledAt(history: readonly WorkflowEvent[]): {
  readonly seq: Seq;
  readonly achieved: WorkflowEvent | undefined;
} {
  const cut = history.find(({ type }) => type === "CANCEL_REQUESTED" || isTerminal(type))!;
  return { seq: cut.seq, achieved: history.find(({ type, seq }) => seq > cut.seq && ACHIEVED.has(type)) };
}
