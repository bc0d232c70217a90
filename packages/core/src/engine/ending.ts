import type { Codec } from "../codec/codec.ts";
import { sealData } from "../codec/envelope.ts";
import type { Millis } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { WorkflowCommit } from "../storage/commit.ts";
import type { NewEvent } from "../storage/event.ts";

/** How often a closing run records messages that came at the last moment before it closes over them. */
const MAX_UNREAD_ROUNDS = 3;

/** How a run ends. */
export type Ending =
  | { readonly status: "completed"; readonly output: Payload }
  | { readonly status: "failed"; readonly failure: Payload }
  | { readonly status: "cancelled"; readonly reason: string | undefined; readonly terminated: boolean };

/** How a generation ends that is not the run's last: its code begins again, with this input. */
export interface Continuation {
  readonly status: "continued";
  readonly input: Payload;
  /** What the state begins with; `null`: the workflow has none. */
  readonly state: Payload | null;
}

/** The end of a run whose deadline has passed. */
export function timedOut(codec: Codec): Ending {
  const message = "The run was not over by its deadline.";
  return { status: "failed", failure: codec.encode({ name: "TimedOutError", message, code: "timed-out" }) };
}

/** What a run's end says in history. */
export function terminalEvent(codec: Codec, ending: Ending, at: Millis): NewEvent {
  switch (ending.status) {
    case "completed":
      return { type: "WORKFLOW_COMPLETED", command: null, at, data: sealData(codec, {}, { output: ending.output }) };
    case "failed":
      return { type: "WORKFLOW_FAILED", command: null, at, data: sealData(codec, {}, { failure: ending.failure }) };
    case "cancelled": {
      const { reason, terminated } = ending;
      return {
        type: "WORKFLOW_CANCELLED",
        command: null,
        at,
        data: sealData(codec, { reason, ...(terminated && { terminated }) }),
      };
    }
  }
}

/** What a run's end says on its row. */
export function closeOf(
  codec: Codec,
  ending: Ending,
): NonNullable<WorkflowCommit["close"]> & { readonly failure?: Payload } {
  switch (ending.status) {
    case "completed":
      return { status: "completed", output: ending.output };
    case "failed":
      return { status: "failed", failure: ending.failure };
    case "cancelled": {
      const message = ending.reason ?? (ending.terminated ? "terminated" : "cancelled");
      return {
        status: "cancelled",
        failure: codec.encode({
          name: "CancelledError",
          message,
          code: "cancelled",
          details: { reason: ending.reason },
        }),
      };
    }
  }
}

/** {@link closeOf}, for a commit that was refused as unread so many times before. */
export function closeAfter(codec: Codec, ending: Ending, unreadRounds: number): NonNullable<WorkflowCommit["close"]> {
  return { ...closeOf(codec, ending), ...(unreadRounds >= MAX_UNREAD_ROUNDS && { discardUnread: true }) };
}
