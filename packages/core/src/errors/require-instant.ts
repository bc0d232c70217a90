import type { Millis } from "../model/ids.ts";
import { parseInstant } from "../model/instant.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A Date of the public edge as epoch ms.
 * @param what names it in the message, such as `startAt of client.start`
 * @throws UsageError `invalid-argument`
 */
export function requireInstant(date: Date, what: string): Millis {
  const at = date instanceof Date ? parseInstant(date) : undefined;
  if (at !== undefined) return at;
  throw new UsageError(
    "invalid-argument",
    `The ${what} must be a valid Date from 1970 to the year 9999. Pass new Date(…).`,
    { details: { what } },
  );
}
