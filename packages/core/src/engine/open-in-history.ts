import type { WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { Millis } from "../model/ids.ts";

/** Something that a run waits for, as its history shows it. */
export type OpenItem =
  | {
      readonly what: "activity";
      readonly name: string;
      readonly attempt: number;
      readonly retryAt: Millis | null;
      /** Where it waits for a worker, or is executed by one; `null`: whoever holds the run executes it. */
      readonly queue: string | null;
      /** Why the attempt before failed, as far as history knows. */
      readonly lastFailure: Failure | null;
    }
  | { readonly what: "timer"; readonly dueAt: Millis }
  | { readonly what: "signal"; readonly name: string; readonly dueAt: Millis | null }
  | { readonly what: "child"; readonly workflow: string; readonly runId: string };

/** What a history has begun and not ended: in the order in which the code asked for it. */
export function openInHistory(history: readonly WorkflowEvent[]): readonly OpenItem[] {
  const open = new Map<number, OpenItem>();
  for (const event of history) fold(open, event);
  return [...open].toSorted(([a], [b]) => a - b).map(([, awaited]) => awaited);
}

function fold(open: Map<number, OpenItem>, event: WorkflowEvent): void {
  const command = event.command ?? 0;
  switch (event.type) {
    case "ACTIVITY_SCHEDULED": {
      // One that was executed where the run was held may go out as a task later.
      const before = open.get(command);
      open.set(command, {
        what: "activity",
        name: event.data.activity,
        attempt: before?.what === "activity" ? before.attempt : 1,
        retryAt: null,
        queue: event.data.queue ?? null,
        lastFailure: before?.what === "activity" ? before.lastFailure : null,
      });
      return;
    }
    case "ACTIVITY_RETRYING": {
      const { activity, attempt, dueAt, failure } = event.data;
      open.set(command, {
        what: "activity",
        name: activity,
        attempt: attempt + 1,
        retryAt: dueAt,
        queue: null,
        lastFailure: failure,
      });
      return;
    }
    case "TIMER_STARTED":
      open.set(command, { what: "timer", dueAt: event.data.dueAt });
      return;
    case "SIGNAL_AWAITED":
      open.set(command, { what: "signal", name: event.data.signal, dueAt: event.data.dueAt ?? null });
      return;
    case "CHILD_SCHEDULED":
      open.set(command, { what: "child", workflow: event.data.workflow, runId: event.data.runId });
      return;
    case "SIGNAL_RECEIVED":
      for (const [waiting, awaited] of [...open].toSorted(([a], [b]) => a - b)) {
        if (awaited.what === "signal" && awaited.name === event.data.signal) {
          open.delete(waiting);
          return;
        }
      }
      return;
    case "CANCEL_REQUESTED":
      for (const [waiting, { what }] of open)
        if (what !== "child" && event.data.shielded?.includes(waiting) !== true) open.delete(waiting);
      return;
    case "ACTIVITY_COMPLETED":
    case "ACTIVITY_FAILED":
    case "TIMER_FIRED":
    case "TIMER_CANCELLED":
    case "CHILD_COMPLETED":
    case "CHILD_FAILED":
      open.delete(command);
      return;
    default:
  }
}
