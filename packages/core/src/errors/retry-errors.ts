import type { Duration } from "../model/duration.ts";
import { PerdureError } from "./perdure-error.ts";

/** Thrown by an activity that knows when trying again makes sense. The attempt still counts. */
export class RetryableError extends PerdureError {
  readonly code = "retryable";
  /** Replaces the policy's delay: a duration, or an instant. An invalid one is ignored. */
  readonly retryAfter: Duration | Date | undefined;

  static {
    this.prototype.name = "RetryableError";
  }

  /**
   * @example
   * throw new RetryableError("The bank is busy.", { retryAfter: "30s" });
   */
  constructor(message: string, options: { readonly retryAfter?: Duration | Date; readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.retryAfter = options.retryAfter;
  }
}

/** Thrown by an activity that knows that trying again is pointless: it fails at once, whatever its policy says. */
export class NonRetryableError extends PerdureError {
  readonly code = "non-retryable";
  readonly nonRetryable = true;

  static {
    this.prototype.name = "NonRetryableError";
  }

  /**
   * @example
   * throw new NonRetryableError("The card is stolen.");
   */
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : {});
  }
}
