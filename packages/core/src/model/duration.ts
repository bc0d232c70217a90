const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds, seconds, minutes, hours, days, weeks. */
type DurationUnit = keyof typeof unitMs;

/**
 * A length of time at the public edge: milliseconds, or text such as `'250ms'`, `'1.5h'`, `'2d'`.
 * From zero to 100 years; inside the engine it is always whole milliseconds.
 */
export type Duration = number | `${number}${DurationUnit}`;

/** The longest duration that is accepted: 100 years of 365.25 days, in ms. */
export const maxDurationMs = 36_525 * unitMs.d;

const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

/**
 * A duration in whole ms (fractions are rounded), or `undefined` when `value` is not one:
 * another type, malformed, negative, NaN, infinite, or longer than {@link maxDurationMs}.
 */
export function parseDuration(value: unknown): number | undefined {
  const ms = typeof value === "number" ? value : typeof value === "string" ? parseText(value) : Number.NaN;
  return ms >= 0 && ms <= maxDurationMs ? Math.round(Math.abs(ms)) : undefined;
}

function parseText(text: string): number {
  const match = pattern.exec(text);
  if (match === null) return Number.NaN;
  const [, amount, unit] = match as unknown as [string, string, DurationUnit];
  return Number(amount) * unitMs[unit];
}
