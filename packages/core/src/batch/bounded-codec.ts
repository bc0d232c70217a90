import type { Codec } from "../codec/codec.ts";
import { payloadTooLarge } from "../codec/limits.ts";
import { UsageError } from "../errors/index.ts";
import type { StorageBackend } from "../storage/backend.ts";

/** What an event may hold beside one large value: its plain fields, and an activity's input that is not recorded on its own. */
const ENVELOPE_BYTES = 256 * 1024;

/**
 * A codec that refuses what the storage would refuse: early, in the face of the code that made it.
 * @throws UsageError `invalid-argument` for what is no codec
 */
export function boundedCodec(codec: Codec, { info }: StorageBackend): Codec {
  if (typeof (codec as Codec | null)?.encode !== "function" || typeof codec.decode !== "function") {
    throw new UsageError(
      "invalid-argument",
      "A codec must have the functions encode and decode. Leave it out for JSON, or make one with createJsonCodec(…).",
    );
  }
  return {
    ...(codec.json === true && { json: true }),
    encode: (value) => {
      const text = codec.encode(value);
      const { payloadBytes } = info.limits;
      const limit = Math.max(payloadBytes - ENVELOPE_BYTES, Math.floor(payloadBytes / 2));
      // A UTF-16 unit takes up to three bytes in UTF-8.
      if (text.length * 3 > limit) {
        const size = Buffer.byteLength(text);
        if (size > limit) throw payloadTooLarge(size, limit);
      }
      return text;
    },
    decode: (payload) => codec.decode(payload),
  };
}
