import type { Random } from "../random.ts";

/** What can happen to a world while its storm lasts. */
const TROUBLES = [
  /** A call fails, and was not applied. */
  "fail before",
  /** A call fails, and was applied. */
  "reply lost",
  "late request",
  "late reply",
  /** A call is applied twice, and the second answer counts. */
  "request twice",
  "hint lost",
  "hint twice",
  "late hint",
  /** A worker is killed between any two steps. */
  "crash",
  /** A worker stands still, also past its lease. */
  "pause",
  /** A worker stops in an orderly way. */
  "drain",
  /** The clock under the store is set on or back. */
  "clock",
] as const;

export type Trouble = (typeof TROUBLES)[number];

/** The troubles of one world: some of all, so that each is also seen without the others. One world in eight has none. */
export function drawTroubles(random: Random): ReadonlySet<Trouble> {
  const share = random.pick([0, 0.3, 0.3, 0.5, 0.5, 0.8, 0.8, 1]);
  return new Set(TROUBLES.filter(() => random.next() < share));
}
