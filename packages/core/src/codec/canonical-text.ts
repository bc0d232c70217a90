import type { CodecLimits } from "./limits.ts";
import { Tagger } from "./tagger.ts";

/** Wide, so that it is the codec which refuses a value. */
const wideLimits: CodecLimits = { maxDepth: 1_000, maxBytes: 2 ** 26 };

/**
 * The JSON codec's text of a value, with the keys of every object sorted: equal values give equal text, however their
 * properties came about. For comparing, not for storing. Maps and Sets keep their order; an Error includes its stack.
 *
 * @throws UsageError `not-serializable` or `payload-too-large` (64 MiB)
 */
export function canonicalText(value: unknown): string {
  return new Tagger(wideLimits, true).text(value);
}
