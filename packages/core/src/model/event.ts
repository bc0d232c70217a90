import type { Failure } from "./failure.ts";
import type { Millis, Seq } from "./ids.ts";
import type { Attributes, ParentClose } from "./run.ts";

/**
 * What each event type records. Fields named `input`, `output`, `payload`, `value` and `failure` hold the user's values
 * and go through the codec; all others are plain JSON that tools can read without it.
 */
export interface EventData {
  WORKFLOW_STARTED: {
    readonly workflow: string;
    readonly version?: string;
    readonly parentRunId?: string;
    /** Search attributes given at the start. */
    readonly attributes?: Attributes;
    /**
     * Of a fork: its history goes on with the events of that run up to `seq`. `origin` is the incarnation that recorded the last of
     * these, where that run had copied them itself.
     */
    readonly forkedFrom?: {
      readonly runId: string;
      readonly incarnation: string;
      readonly seq: Seq;
      readonly origin?: string;
    };
  };
  WORKFLOW_COMPLETED: { readonly output: unknown };
  WORKFLOW_FAILED: { readonly failure: Failure };
  WORKFLOW_CANCELLED: { readonly reason?: string; readonly terminated?: true };
  WORKFLOW_CONTINUED_AS_NEW: {
    readonly input: unknown;
    readonly generation: number;
    /** Signals that were received and not consumed, in order. */
    readonly signals: readonly Seq[];
    readonly cancelRequested?: { readonly reason?: string };
    /** Seq of the CHILD_SCHEDULED of each child whose close policy is still owed. */
    readonly children: readonly Seq[];
    /** Search attributes as they are now. */
    readonly attributes?: Attributes;
  };
  STEP_STARTED: { readonly step: string };
  STEP_COMPLETED: { readonly step: string };
  STATE_SET: { readonly key: string; readonly value: unknown };
  STATE_UPDATE: { readonly value: unknown };
  /**
   * Recorded before the first attempt ended: the activity is slow, its input large, or it runs as a task. Comes again when attempts
   * were made inline and the next one goes out as a task. Carries the input when it is the command's first event.
   */
  ACTIVITY_SCHEDULED: {
    readonly activity: string;
    readonly input?: unknown;
    /** `inline`: a new holder executes it again. `task`: a new holder waits for its outcome. */
    readonly where: "inline" | "task";
    /** Of a task: where it waits for a worker. */
    readonly queue?: string;
  };
  /** Attempt `attempt` failed; the next one starts at `dueAt`. Carries name and input when it is the command's first event. */
  ACTIVITY_RETRYING: {
    readonly activity: string;
    readonly input?: unknown;
    readonly attempt: number;
    readonly dueAt: Millis;
    readonly failure: Failure;
  };
  /** Carries the input when it is the command's first event (a quick activity is this one event). */
  ACTIVITY_COMPLETED: {
    readonly activity: string;
    readonly input?: unknown;
    readonly output: unknown;
    readonly attempt: number;
    /** The result came from the activity cache; nothing was executed. */
    readonly cached?: true;
  };
  ACTIVITY_FAILED: {
    readonly activity: string;
    readonly input?: unknown;
    /** Attempts that were executed. */
    readonly attempt: number;
    readonly failure: Failure;
  };
  TIMER_STARTED: { readonly dueAt: Millis };
  TIMER_FIRED: Readonly<Record<never, never>>;
  TIMER_CANCELLED: Readonly<Record<never, never>>;
  /** The code waits for a signal that has not arrived; `dueAt` is the end of its patience (a TIMER_FIRED then). */
  SIGNAL_AWAITED: { readonly signal: string; readonly dueAt?: Millis };
  SIGNAL_RECEIVED: { readonly signal: string; readonly payload: unknown; readonly id: string };
  /** An intent: the message is sent after this is durable, and again by the next holder. */
  SIGNAL_SENT: {
    /** `null`: a request to cancel, with the reason as payload. */
    readonly signal: string | null;
    readonly runId: string;
    /** Of a child: no other run that has its id gets the message. */
    readonly incarnation?: string;
    readonly payload: unknown;
  };
  SIGNAL_DELIVERED: { readonly status: "accepted" | "closed" | "unknown" };
  CANCEL_REQUESTED: {
    readonly reason?: string;
    /** Commands that it left alone, because `ctx.shield` did. */
    readonly shielded?: readonly number[];
  };
  /** An intent: the child is created after this is durable, and again by the next holder. */
  CHILD_SCHEDULED: {
    readonly workflow: string;
    readonly version?: string;
    readonly runId: string;
    readonly incarnation: string;
    readonly input: unknown;
    readonly queue: string;
    readonly parentClose: ParentClose;
    readonly timeoutMs?: number;
    /** What its state begins with, unless that is large: for who creates it and does not have its code. */
    readonly state?: unknown;
  };
  CHILD_STARTED: Readonly<Record<never, never>>;
  /** `scheduled`, in place of a command and an output: the CHILD_SCHEDULED of an earlier generation, which nobody awaits any more. */
  CHILD_COMPLETED: { readonly output?: unknown; readonly scheduled?: Seq };
  CHILD_FAILED: { readonly failure: Failure; readonly scheduled?: Seq };
  SIDE_EFFECT_RECORDED: { readonly name: string; readonly value?: unknown; readonly failure?: Failure };
  VERSION_MARKED: {
    readonly id: string;
    /** By `ctx.deprecatePatch`: code that does not ask for it passes over it. */
    readonly deprecated?: true;
  };
  ATTRIBUTES_SET: { readonly attributes: Attributes };
  /** Everything before it was copied from another run: what the code draws by chance before it is what was drawn there. */
  FORKED: {
    readonly fromRunId: string;
    readonly fromIncarnation: string;
    readonly fromSeq: Seq;
    /** As in `forkedFrom`. */
    readonly origin?: string;
  };
}

/** What an event says that has happened. */
export type EventType = keyof EventData;

/**
 * One immutable record of a run's history. `command` is the number of the command that it belongs to, in the order in
 * which the code asked; `null` for events that come from outside.
 */
export type WorkflowEvent = {
  [T in EventType]: {
    readonly seq: Seq;
    readonly type: T;
    readonly command: number | null;
    readonly at: Millis;
    readonly data: EventData[T];
  };
}[EventType];

/** The event of one type. */
export type EventOf<T extends EventType> = Extract<WorkflowEvent, { readonly type: T }>;

const TERMINAL: ReadonlySet<string> = new Set<EventType>([
  "WORKFLOW_COMPLETED",
  "WORKFLOW_FAILED",
  "WORKFLOW_CANCELLED",
]);

/** Whether an event of this type is the last of its history (I5). */
export function isTerminal(type: string): boolean {
  return TERMINAL.has(type);
}

const REMARKS: ReadonlySet<string> = new Set<EventType>(["STEP_STARTED", "STEP_COMPLETED"]);

/** Whether an event of this type says only how far the code is: nothing waits for it, it is recorded with what comes next. */
export function isRemark(type: string): boolean {
  return REMARKS.has(type);
}
