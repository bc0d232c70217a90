import type { Millis, Seq } from "./ids.ts";
import type { Payload } from "./payload.ts";

/** A run's status as stored: the fold of its history. */
export type RunStatus = "open" | "completed" | "failed" | "cancelled";

/** The statuses that a run ends in. */
export type ClosedStatus = Exclude<RunStatus, "open">;

/** What happens to a child that is still open when its parent closes. */
export type ParentClose = "cancel" | "terminate" | "abandon";

/** Links a child run to the command of the parent that started it. */
export interface ParentLink {
  readonly runId: string;
  readonly incarnation: string;
  /** Seq of the parent's CHILD_SCHEDULED. */
  readonly seq: Seq;
}

/** A value that runs can be listed by. Compared by type and value. */
export type AttributeValue = string | number | boolean;

/** Search attributes of a run. Names and string values are at most 255 UTF-8 bytes. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What stays the same through a run's life, and where replay starts. */
export interface RunHeader {
  readonly runId: string;
  /** Random text of the creator, `[0-9A-Za-z_-]{16,64}`: tells this run from an earlier or later one with the same id. */
  readonly incarnation: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly queue: string;
  /** −9 … 9; each step is worth ten seconds of waiting. */
  readonly priority: number;
  /** Stored by the creator; two starts with the same hash are the same start. */
  readonly startHash: string;
  readonly parent: ParentLink | null;
  readonly parentClose: ParentClose | null;
  readonly input: Payload;
  readonly createdAt: Millis;
  /** When the run must be over; from then on any worker may claim it to time it out. */
  readonly deadlineAt: Millis | null;
  /** Replay reads the events after this seq: 0, or the seq just before the last WORKFLOW_CONTINUED_AS_NEW. */
  readonly baseSeq: Seq;
}
