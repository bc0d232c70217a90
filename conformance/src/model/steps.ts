import type { Millis } from "@perdure/core/storage";

/**
 * The time of a sequence goes by in steps, so that a store whose clock runs can be compared with a model whose clock stands: what they
 * call the same moment differs by the seconds that the sequence takes, and never by a step.
 */
export const STEP = 20 * 60_000;

/** Over all that passes in a sequence: less than dedupe ids are remembered for. */
export const MOST_STEPS = 60;

/** Numbers closer than that to the beginning of a sequence are moments. */
const NEAR = 1_000 * STEP;

/** A value with its moments as steps since the beginning of the sequence. */
export function inSteps(value: unknown, origin: Millis): unknown {
  if (typeof value === "number") {
    return Math.abs(value - origin) < NEAR ? `step ${Math.floor((value - origin) / STEP)}` : value;
  }
  if (Array.isArray(value)) return value.map((one) => inSteps(one, origin));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inSteps(member, origin)]));
}

/** Printed code with its moments counted from the beginning of the sequence. */
export function fromStart(code: string, origin: Millis): string {
  return code.replaceAll(/(?<![\w.])\d{13}\b/gu, (digits) => {
    const ms = Number(digits) - origin;
    if (Math.abs(ms) >= NEAR) return digits;
    return ms % STEP === 0 ? `start + ${ms / STEP} * STEP` : `start + ${ms}`;
  });
}
