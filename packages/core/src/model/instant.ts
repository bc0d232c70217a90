import type { Millis } from "./ids.ts";

/** The last millisecond of the year 9999: no instant is later. */
export const maxInstant: Millis = 253_402_300_799_999;

/** A Date's epoch ms, or `undefined` for one that is invalid, before 1970 or after the year 9999. */
export function parseInstant(date: Date): Millis | undefined {
  const at = date.getTime();
  return at >= 0 && at <= maxInstant ? at : undefined;
}
