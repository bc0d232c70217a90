import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalText } from "./canonical-text.ts";
import { jsonCodec } from "./json-codec.ts";

it("sorts the keys of every object", () => {
  expect(canonicalText({ b: 1, a: [{ d: 1, c: 2 }] })).toBe('{"a":[{"c":2,"d":1}],"b":1}');
  expect(canonicalText(new Map([["k", { b: 1, a: 1 }]]))).toBe('{"$":"Map","v":[["k",{"a":1,"b":1}]]}');
  expect(canonicalText({ v: 1, $: 2 })).toBe('{"$":"Object","v":{"$":2,"v":1}}');
  expect(canonicalText(undefined)).toBe('{"$":"undefined"}');
});

it("keeps a key __proto__", () => {
  expect(canonicalText(JSON.parse('{"b":1,"__proto__":{"z":1,"a":2}}'))).toBe('{"__proto__":{"a":2,"z":1},"b":1}');
});

it("is the same for every order of the keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const reversed = Object.fromEntries(Object.entries(object).toReversed());
      expect(canonicalText(reversed)).toBe(canonicalText(object));
    }),
  );
});

it("tells different values apart, and can be decoded", () => {
  expect(canonicalText({ a: undefined })).not.toBe(canonicalText({}));
  expect(canonicalText({ a: 1 })).not.toBe(canonicalText({ a: "1" }));
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
      expect(isDeepStrictEqual(jsonCodec.decode(canonicalText(value)), value)).toBe(true);
    }),
  );
});

it("refuses what the codec refuses", () => {
  expect(() => canonicalText({ b: 1, a: () => 1 })).toThrow(
    expect.objectContaining({ details: { path: "$.a", reason: "a function" } }),
  );
});
