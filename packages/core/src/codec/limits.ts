import { UsageError } from "../errors/usage-error.ts";

/** What one value may cost. */
export interface CodecLimits {
  /** Objects, arrays and maps inside each other; 1…1,000. */
  readonly maxDepth: number;
  /** UTF-8 bytes of the text. */
  readonly maxBytes: number;
}

/** 200 levels, 1 MiB. A backend may declare a smaller payload limit, which then counts. */
const defaultLimits: CodecLimits = { maxDepth: 200, maxBytes: 1_048_576 };

/**
 * Limits with the defaults filled in.
 *
 * @throws UsageError `invalid-argument`
 */
export function requireLimits(options: Partial<CodecLimits>): CodecLimits {
  const { maxDepth = defaultLimits.maxDepth, maxBytes = defaultLimits.maxBytes } = options;
  requireInteger(maxDepth, "maxDepth", 1_000);
  requireInteger(maxBytes, "maxBytes", 2 ** 29);
  return { maxDepth, maxBytes };
}

function requireInteger(value: number, what: string, maximum: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return;
  throw new UsageError("invalid-argument", `The codec's ${what} is ${value}. Give an integer from 1 to ${maximum}.`, {
    details: { what },
  });
}

/** The refusal of a value whose text is too long. `size` is exact, or what was counted until it was too much. */
export function payloadTooLarge(size: number, limit: number): UsageError {
  return new UsageError(
    "payload-too-large",
    `The value takes at least ${size} bytes as text; the limit is ${limit}. ` +
      "Keep large data elsewhere and pass a reference to it, or raise the codec's maxBytes as far as the storage allows.",
    { details: { size, limit } },
  );
}
