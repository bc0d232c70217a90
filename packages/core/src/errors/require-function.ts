import { UsageError } from "./usage-error.ts";

/**
 * Answers the function.
 * @param what names it in the message, such as `code of activity "charge"`
 * @throws UsageError `invalid-argument` for what is none
 */
export function requireFunction<T>(fn: T, what: string): T {
  if (typeof fn === "function") return fn;
  throw new UsageError(
    "invalid-argument",
    `The ${what} must be a function, not ${fn === null ? "null" : typeof fn}. Pass async (…) => { … }.`,
    { details: { what } },
  );
}
