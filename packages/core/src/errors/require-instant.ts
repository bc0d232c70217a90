import type { Millis } from "../model/ids.ts";
import { parseInstant } from "../model/instant.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A Date of the public edge as epoch ms.
 * @param what names it in the message: "startAt of client.start"
 * @throws UsageError `invalid-argument`
 */
export function requireInstant(date: Date, what: string): Millis {
  const at = parseInstant(date);
  if (at !== undefined) return at;
  throw new UsageError(
    "invalid-argument",
    `${what} is a Date that is invalid, before 1970 or after the year 9999. Pass a valid one.`,
  );
}
