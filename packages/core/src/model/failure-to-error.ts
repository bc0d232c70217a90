import { type Failure, maxFailureCauses } from "./failure.ts";

/**
 * An Error that shows what a failure recorded: name, message, stack text, code, details and cause, the same on every replay.
 * It is a plain Error, not an instance of the class that was thrown. `toFailure` makes the same failure of it again.
 */
export function failureToError(failure: Failure): Error {
  return restore(failure, maxFailureCauses);
}

function restore(failure: Failure, causes: number): Error {
  const { name, message, code, stack = `${name}: ${message}`, details, nonRetryable, retryAfterMs, cause } = failure;
  const error = new Error(message);
  hide(error, "name", name);
  hide(error, "stack", stack);
  if (cause !== undefined && causes > 0) hide(error, "cause", restore(cause, causes - 1));
  return Object.assign(
    error,
    code !== undefined && { code },
    details !== undefined && { details },
    nonRetryable !== undefined && { nonRetryable },
    retryAfterMs !== undefined && { retryAfterMs },
  );
}

/** Defines what a native error has too, as unlisted as it is there. */
function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true });
}
