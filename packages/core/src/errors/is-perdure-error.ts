import type { DeterminismError } from "./determinism-error.ts";
import type { DeterminismCode, ErrorCode, StorageCode, UsageCode } from "./error-code.ts";
import { errorBrand, type PerdureError } from "./perdure-error.ts";
import type { ResultTimeoutError, RunCancelledError, RunFailedError } from "./result-errors.ts";
import type { NonRetryableError, RetryableError } from "./retry-errors.ts";
import type { StorageError } from "./storage-error.ts";
import type { UsageError } from "./usage-error.ts";
import type { ActivityFailedError, CancelledError, ChildFailedError, TimedOutError } from "./workflow-errors.ts";

interface ErrorsByCode
  extends Record<UsageCode, UsageError>, Record<DeterminismCode, DeterminismError>, Record<StorageCode, StorageError> {
  "activity-failed": ActivityFailedError;
  "child-failed": ChildFailedError;
  cancelled: CancelledError;
  "timed-out": TimedOutError;
  "run-failed": RunFailedError;
  "run-cancelled": RunCancelledError;
  "result-timeout": ResultTimeoutError;
  retryable: RetryableError;
  "non-retryable": NonRetryableError;
}

/** The error class that has this code. */
export type ErrorOf<Code extends ErrorCode> = ErrorsByCode[Code] & { readonly code: Code };

/**
 * Whether a caught value is an error of Perdure's, and of this code if one is named. Never throws.
 *
 * @example
 * try {
 *   await handle.result();
 * } catch (error) {
 *   if (isPerdureError(error, "run-failed")) console.error(error.failure.message);
 *   else throw error;
 * }
 */
export function isPerdureError(value: unknown): value is PerdureError;
export function isPerdureError<Code extends ErrorCode>(value: unknown, code: Code): value is ErrorOf<Code>;
export function isPerdureError(value: unknown, code?: ErrorCode): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    const error = value as Partial<PerdureError>;
    return error[errorBrand] === true && (code === undefined || error.code === code);
  } catch {
    return false;
  }
}
