import { UsageError } from "../errors/index.ts";

const MAX_CHARACTERS = 2_000;

/**
 * Answers the reason of a cancel request if it can stand in every place where it is recorded.
 * @throws UsageError `invalid-argument` otherwise.
 */
export function requireReason(reason: unknown): string | undefined {
  if (reason === undefined) return undefined;
  if (typeof reason === "string" && reason.length <= MAX_CHARACTERS) return reason;
  throw new UsageError(
    "invalid-argument",
    `The reason must be a text of at most ${MAX_CHARACTERS} characters. Put more into the workflow's state.`,
  );
}
