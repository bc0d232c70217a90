import { PerdureError } from "./perdure-error.ts";
import { sentence } from "./sentence.ts";

/** An activity has used up its attempts, or failed with an error that is not retried. `cause` is its last error. */
export class ActivityFailedError extends PerdureError {
  readonly code = "activity-failed";
  readonly activity: string;
  /** Attempts that were executed. */
  readonly attempts: number;

  static {
    this.prototype.name = "ActivityFailedError";
  }

  constructor(options: { readonly activity: string; readonly attempts: number; readonly cause: Error }) {
    const { activity, attempts, cause } = options;
    const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    super(
      `Activity "${activity}" failed after ${times}: ${sentence(cause.message)} ` +
        "To go on, catch this error in the workflow or allow more attempts with `retry`.",
      { cause, details: { activity, attempts } },
    );
    this.activity = activity;
    this.attempts = attempts;
  }
}

/** A child run has failed, was cancelled, or could not be started. `cause` says which. */
export class ChildFailedError extends PerdureError {
  readonly code = "child-failed";
  readonly workflow: string;
  /** The child's run id. */
  readonly runId: string;

  static {
    this.prototype.name = "ChildFailedError";
  }

  constructor(options: { readonly workflow: string; readonly runId: string; readonly cause: Error }) {
    const { workflow, runId, cause } = options;
    super(
      `Child run "${runId}" of workflow "${workflow}" failed: ${sentence(cause.message)} ` +
        "To go on without it, catch this error in the workflow.",
      { cause, details: { workflow, runId } },
    );
    this.workflow = workflow;
    this.runId = runId;
  }
}

/** The run was cancelled while it waited. Clean up, then let this error pass. */
export class CancelledError extends PerdureError {
  readonly code = "cancelled";
  /** What was given to `cancel`. */
  readonly reason: string | undefined;

  static {
    this.prototype.name = "CancelledError";
  }

  constructor(options: { readonly reason?: string | undefined } = {}) {
    const { reason } = options;
    super(
      `The run was cancelled${reason === undefined ? "." : `: ${sentence(reason)}`} ` +
        "Clean up in a `catch` or `finally`, and let this error pass.",
      { details: reason === undefined ? {} : { reason } },
    );
    this.reason = reason;
  }
}

/** Something that the workflow waited for did not come in time. */
export class TimedOutError extends PerdureError {
  readonly code = "timed-out";
  /** What was waited for, such as `signal "approved"`. */
  readonly what: string;
  readonly timeoutMs: number | undefined;

  static {
    this.prototype.name = "TimedOutError";
  }

  constructor(options: { readonly what: string; readonly timeoutMs?: number | undefined }) {
    const { what, timeoutMs } = options;
    super(
      `Timed out${timeoutMs === undefined ? "" : ` after ${timeoutMs} ms`} waiting for ${what}. ` +
        "Catch this error to go on without it, or allow a longer `timeout`.",
      { details: { what, ...(timeoutMs !== undefined && { timeoutMs }) } },
    );
    this.what = what;
    this.timeoutMs = timeoutMs;
  }
}
