import { StorageError } from "../errors/storage-error.ts";
import type { Payload } from "../model/payload.ts";
import type { Codec } from "./codec.ts";
import { isDeeperThan } from "./depth.ts";
import { type CodecLimits, payloadTooLarge, requireLimits } from "./limits.ts";
import { Tagger } from "./tagger.ts";
import { untag } from "./untag.ts";

/** Levels that a record may add around a payload; see {@link Codec.json}. */
const envelopeDepth = 8;

/**
 * The default codec: JSON in which Date, BigInt, Map, Set, Uint8Array, Error, URL, undefined, NaN, ±Infinity and -0 are
 * tagged, as in `{"$":"Date","v":0}`. The order of keys is kept. Refused with the path: functions, symbols, cycles, holes in
 * arrays, instances of classes (Buffer too; an Error of any class becomes a plain one). `toJSON` is not called. Not kept:
 * unlisted properties, named properties of arrays, null prototypes, and that one object stood in two places.
 *
 * @throws UsageError `invalid-argument` for limits out of range
 * @example
 * const client = createClient({ storage, codec: createJsonCodec({ maxBytes: 4 * 1024 * 1024 }) });
 */
export function createJsonCodec(options: Partial<CodecLimits> = {}): Codec {
  const limits = requireLimits(options);
  return {
    json: true,
    encode: (value) => encode(value, limits),
    decode: (payload) => decode(payload, limits.maxDepth + envelopeDepth),
  };
}

/** The default codec with its default limits: 200 levels, 1 MiB. */
export const jsonCodec: Codec = createJsonCodec();

function encode(value: unknown, limits: CodecLimits): Payload {
  const text = new Tagger(limits).text(value);
  // A UTF-16 unit takes up to three bytes in UTF-8.
  if (text.length * 3 > limits.maxBytes) {
    const size = Buffer.byteLength(text);
    if (size > limits.maxBytes) throw payloadTooLarge(size, limits.maxBytes);
  }
  return text;
}

function decode(payload: Payload, maxDepth: number): unknown {
  try {
    if (payload.includes('"$"')) return untag(JSON.parse(payload), maxDepth);
    if (isDeeperThan(payload, maxDepth)) throw new RangeError("too deep");
    return JSON.parse(payload) as unknown;
  } catch {
    // The parser's own error would quote the user's data.
    throw new StorageError(
      "corrupt",
      `A payload of ${String(payload?.length)} characters is not text that this codec has written. ` +
        "Use the codec that wrote it; if it is the same, restore the record from a backup.",
    );
  }
}
