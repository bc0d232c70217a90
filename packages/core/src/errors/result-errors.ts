import type { Failure } from "../model/failure.ts";
import { failureToError } from "../model/failure-to-error.ts";
import { PerdureError } from "./perdure-error.ts";
import { sentence } from "./sentence.ts";

/** The run whose result was asked for has failed. `failure` is what was recorded, `cause` the same as an Error. */
export class RunFailedError extends PerdureError {
  readonly code = "run-failed";
  readonly runId: string;
  readonly failure: Failure;

  static {
    this.prototype.name = "RunFailedError";
  }

  constructor(options: { readonly runId: string; readonly failure: Failure }) {
    const { runId, failure } = options;
    super(`Run "${runId}" failed: ${sentence(failure.message)} Its history shows the step that failed.`, {
      cause: failureToError(failure),
      details: { runId },
    });
    this.runId = runId;
    this.failure = failure;
  }
}

/** The run whose result was asked for was cancelled or terminated. */
export class RunCancelledError extends PerdureError {
  readonly code = "run-cancelled";
  readonly runId: string;
  /** What was given to `cancel` or `terminate`. */
  readonly reason: string | undefined;

  static {
    this.prototype.name = "RunCancelledError";
  }

  constructor(options: { readonly runId: string; readonly reason?: string | undefined }) {
    const { runId, reason } = options;
    super(
      `Run "${runId}" was cancelled${reason === undefined ? "." : `: ${sentence(reason)}`} Start a new run if its result is still needed.`,
      { details: { runId, ...(reason !== undefined && { reason }) } },
    );
    this.runId = runId;
    this.reason = reason;
  }
}

/** The wait for a run's result has ended before the run did. The run itself goes on. */
export class ResultTimeoutError extends PerdureError {
  readonly code = "result-timeout";
  readonly runId: string;
  readonly timeoutMs: number;

  static {
    this.prototype.name = "ResultTimeoutError";
  }

  constructor(options: { readonly runId: string; readonly timeoutMs: number }) {
    const { runId, timeoutMs } = options;
    super(
      `Run "${runId}" had no result after ${timeoutMs} ms. It goes on: ask again, or see \`describe()\` for what it waits for.`,
      { details: { runId, timeoutMs } },
    );
    this.runId = runId;
    this.timeoutMs = timeoutMs;
  }
}
