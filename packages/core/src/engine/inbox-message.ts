import { openData, sealData } from "../codec/envelope.ts";
import type { Codec } from "../codec/codec.ts";
import type { Failure } from "../model/failure.ts";
import type { Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { ClosedStatus } from "../model/run.ts";

/** What outsiders post to a run, as it is read. */
export type InboxMessage =
  | { readonly kind: "signal"; readonly signal: string; readonly payload: unknown }
  | { readonly kind: "cancel"; readonly reason?: string }
  | { readonly kind: "terminate"; readonly reason?: string }
  /** An activity of this run that another worker executed is over. */
  | {
      readonly kind: "activity-closed";
      /** Seq of the ACTIVITY_SCHEDULED. */
      readonly seq: Seq;
      /** The last one that was executed. */
      readonly attempt: number;
      readonly cached?: true;
      readonly output?: unknown;
      /** Of one that failed. */
      readonly failure?: Failure;
    }
  /** A child of this run has closed. The output stays with the child: a message is bounded. */
  | {
      readonly kind: "child-closed";
      /** Seq of the CHILD_SCHEDULED. */
      readonly seq: Seq;
      readonly runId: string;
      readonly status: ClosedStatus;
      readonly failure?: Failure;
    };

export function signalMessage(codec: Codec, signal: string, payload: Payload): Payload {
  return sealData(codec, { kind: "signal", signal }, { payload });
}

export function cancelMessage(codec: Codec, kind: "cancel" | "terminate", reason?: string): Payload {
  return sealData(codec, { kind, reason });
}

export function activityClosedMessage(
  codec: Codec,
  activity: { readonly seq: Seq; readonly attempt: number; readonly cached?: boolean },
  outcome: { readonly output: Payload } | { readonly failure: Payload },
): Payload {
  const { cached, ...plain } = activity;
  return sealData(codec, { kind: "activity-closed", ...plain, ...(cached === true && { cached }) }, outcome);
}

export function childClosedMessage(
  codec: Codec,
  child: {
    readonly seq: Seq;
    readonly runId: string;
    readonly status: ClosedStatus;
    readonly failure: Payload | undefined;
  },
): Payload {
  const { failure, ...plain } = child;
  return sealData(codec, { kind: "child-closed", ...plain }, { failure });
}

/** @throws StorageError `corrupt` for text that none of the above has made. */
export function readMessage(codec: Codec, data: Payload): InboxMessage {
  return openData(codec, data) as InboxMessage;
}
