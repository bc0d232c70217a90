/** A recorded error: plain JSON of bounded size. What is thrown is an error; what history holds is a failure. */
export interface Failure {
  /** `error.name`; at most 256 characters. */
  readonly name: string;
  /** At most 8,192 characters. */
  readonly message: string;
  /** `error.code`, when it is text or a finite number. */
  readonly code?: string | number;
  /** At most 4,096 characters. */
  readonly stack?: string;
  /** Retrying is pointless, whatever the policy says. */
  readonly nonRetryable?: true;
  /** The delay that the error asked for before the next attempt. */
  readonly retryAfterMs?: number;
  /** `error.details`, reduced to JSON; a few KiB. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** At most {@link maxFailureCauses} of them below each other. */
  readonly cause?: Failure;
}

/** How many causes of causes are recorded. */
export const maxFailureCauses = 5;

/** Whether a value that was read back has the shape of a failure. */
export function isFailure(value: unknown): value is Failure {
  if (!isRecord(value)) return false;
  const { name, message, code, stack, nonRetryable, retryAfterMs, details, cause } = value;
  return (
    typeof name === "string" &&
    typeof message === "string" &&
    (code === undefined || typeof code === "string" || typeof code === "number") &&
    (stack === undefined || typeof stack === "string") &&
    (nonRetryable === undefined || nonRetryable === true) &&
    (retryAfterMs === undefined || typeof retryAfterMs === "number") &&
    (details === undefined || isRecord(details)) &&
    (cause === undefined || isFailure(cause))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
