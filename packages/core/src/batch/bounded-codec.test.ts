import { describe, expect, it } from "vitest";
import { createJsonCodec, jsonCodec } from "../codec/json-codec.ts";
import { memory } from "../memory.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { boundedCodec } from "./bounded-codec.ts";

function storage(payloadBytes: number): StorageBackend {
  const store = memory();
  return { ...store, info: { ...store.info, limits: { ...store.info.limits, payloadBytes } } };
}

describe("boundedCodec", () => {
  it("refuses what the storage would refuse, with room for what stands beside it", () => {
    const codec = boundedCodec(createJsonCodec({ maxBytes: 16 * 1024 * 1024 }), storage(2 * 1024 * 1024));
    expect(codec.encode("x".repeat(1_800_000))).toHaveLength(1_800_002);
    expect(() => codec.encode("x".repeat(1_900_000))).toThrow(expect.objectContaining({ code: "payload-too-large" }));
    expect(() => codec.encode("é".repeat(1_000_000))).toThrow(expect.objectContaining({ code: "payload-too-large" }));
  });

  it("is as large as half of a small limit", () => {
    const codec = boundedCodec(jsonCodec, storage(1_000));
    expect(codec.encode("x".repeat(498))).toHaveLength(500);
    expect(() => codec.encode("x".repeat(499))).toThrow(
      expect.objectContaining({ code: "payload-too-large", details: { size: 501, limit: 500 } }),
    );
  });

  it("is the same codec otherwise", () => {
    const codec = boundedCodec(jsonCodec, storage(1_000_000));
    expect(codec.json).toBe(true);
    expect(codec.decode(codec.encode(new Date(5)))).toEqual(new Date(5));
    const plain = boundedCodec({ encode: String, decode: (payload) => payload }, storage(1_000_000));
    expect(plain).not.toHaveProperty("json");
  });
});
