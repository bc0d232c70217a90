import { normalizeRetry, type Retry, type RetryPolicy } from "../model/retry.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A retry policy with its defaults filled in.
 *
 * @param what names the option in the message, such as `retry of activity "charge"`
 * @throws UsageError `invalid-argument` for what is no policy
 */
export function requireRetry(retry: Retry | undefined, what: string): RetryPolicy {
  const policy = normalizeRetry(retry);
  if (!("invalid" in policy)) return policy;
  throw new UsageError(
    "invalid-argument",
    `The ${what} is not a retry policy: ${policy.invalid}. ` +
      "Give a number of attempts, or { maximumAttempts, delay, jitter, nonRetryable }.",
    { details: { what } },
  );
}
