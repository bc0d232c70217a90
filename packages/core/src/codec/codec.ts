import type { Payload } from "../model/payload.ts";

/**
 * Turns values into text and back. Synchronous, and the same value must give the same text. `decode(encode(value))` must
 * equal `value`, or `encode` must throw. The text must hold neither NUL nor lone surrogates.
 *
 * Wrap the default codec to compress or encrypt; keep reading what was written before:
 *
 * @example
 * const compressed: Codec = {
 *   encode(value) {
 *     const text = jsonCodec.encode(value);
 *     return text.length < 2_000 ? text : `z:${deflateSync(text).toString("base64")}`;
 *   },
 *   decode(payload) {
 *     if (!payload.startsWith("z:")) return jsonCodec.decode(payload);
 *     return jsonCodec.decode(inflateSync(Buffer.from(payload.slice(2), "base64")).toString());
 *   },
 * };
 */
export interface Codec {
  /**
   * Meaning: every text is one JSON value, and `decode` also reads a JSON document in which such texts stand as values, up to
   * eight levels down. Default: no. Consequence: payloads stand in records as they are, readable, instead of as strings.
   */
  readonly json?: true;
  /** @throws UsageError `not-serializable` (with the path) or `payload-too-large` */
  encode(value: unknown): Payload;
  /** @throws StorageError `corrupt` for what is not this codec's text */
  decode(payload: Payload): unknown;
}
