import { type Duration, parseDuration } from "../model/duration.ts";
import { boundedJson } from "../model/bounded-json.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A duration in whole ms.
 *
 * @param what names the option in the message, such as `timeout of workflow "order"`
 * @throws UsageError `invalid-argument` for what is no duration from zero to 100 years
 */
export function requireDuration(value: Duration, what: string): number {
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  throw new UsageError(
    "invalid-argument",
    `The ${what} is ${JSON.stringify(boundedJson(value))}, which is not a duration. ` +
      "Give milliseconds, or text such as '500ms', '30s', '5m', '12h', '7d' or '2w', from zero to 100 years.",
    { details: { what } },
  );
}
