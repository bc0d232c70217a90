import { deflateSync, inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import type { Codec } from "./codec.ts";
import { jsonCodec } from "./json-codec.ts";

it("can be wrapped to compress, as its example shows", () => {
  const compressed: Codec = {
    encode(value) {
      const text = jsonCodec.encode(value);
      return text.length < 2_000 ? text : `z:${deflateSync(text).toString("base64")}`;
    },
    decode(payload) {
      if (!payload.startsWith("z:")) return jsonCodec.decode(payload);
      return jsonCodec.decode(inflateSync(Buffer.from(payload.slice(2), "base64")).toString());
    },
  };
  const large = { at: new Date(0), text: "perdure ".repeat(1_000) };
  expect(compressed.encode(large).length).toBeLessThan(300);
  expect(compressed.decode(compressed.encode(large))).toStrictEqual(large);
  expect(compressed.decode(jsonCodec.encode({ old: 1n }))).toStrictEqual({ old: 1n });
});
