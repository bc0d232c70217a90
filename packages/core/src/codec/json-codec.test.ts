import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonCodec } from "./json-codec.ts";

const encode = (value: unknown) => jsonCodec.encode(value);
const decode = (text: string) => jsonCodec.decode(text);

describe("exact texts", () => {
  it.each([
    [undefined, '{"$":"undefined"}'],
    [null, "null"],
    [true, "true"],
    ["a", '"a"'],
    [1.5, "1.5"],
    [-0, '{"$":"Number","v":"-0"}'],
    [Number.NaN, '{"$":"Number","v":"NaN"}'],
    [Infinity, '{"$":"Number","v":"Infinity"}'],
    [-Infinity, '{"$":"Number","v":"-Infinity"}'],
    [-12n, '{"$":"BigInt","v":"-12"}'],
    [new Date(0), '{"$":"Date","v":0}'],
    [new Date(Number.NaN), '{"$":"Date","v":null}'],
    [new Map([["a", 1n]]), '{"$":"Map","v":[["a",{"$":"BigInt","v":"1"}]]}'],
    [new Set([1, undefined]), '{"$":"Set","v":[1,{"$":"undefined"}]}'],
    [new Uint8Array([1, 2, 255]), '{"$":"Uint8Array","v":"AQL/"}'],
    [new URL("https://a.example/b?c#d"), '{"$":"URL","v":"https://a.example/b?c#d"}'],
    [{ $: "Date", v: 0 }, '{"$":"Object","v":{"$":"Date","v":0}}'],
    [{ $: new Date(1) }, '{"$":"Object","v":{"$":{"$":"Date","v":1}}}'],
    [{ a: undefined, b: [undefined] }, '{"a":{"$":"undefined"},"b":[{"$":"undefined"}]}'],
    [{ b: 1, a: 2 }, '{"b":1,"a":2}'],
  ])("of %s", (value, text) => {
    expect(encode(value)).toBe(text);
    expect(decode(text)).toStrictEqual(value);
  });

  it("of an error", () => {
    const error = Object.assign(new RangeError("m", { cause: "why" }), { stack: "S", code: "E" });
    const text =
      '{"$":"Error","v":{"name":"RangeError","message":"m","code":"E","stack":"S","cause":{"name":"Error","message":"why"}}}';
    expect(encode(error)).toBe(text);
    const back = decode(text) as Error;
    expect(back).toBeInstanceOf(Error);
    expect(back).toMatchObject({ name: "RangeError", message: "m", code: "E", stack: "S", cause: { message: "why" } });
  });
});

describe("round trips (I23)", () => {
  const values = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    maxDepth: 5,
    key: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("$", "v", "__proto__", "constructor", "toString", "0", ""),
    ),
    values: [
      fc.boolean(),
      fc.double(),
      fc.integer(),
      fc.string({ unit: "binary" }),
      fc.constantFrom(null, undefined, -0, Number.NaN, "$", '"$"', "\0", "\ud800", "\udc00x", "\u2028"),
      fc.bigInt(),
      fc.date({ noInvalidDate: false }),
      fc.uint8Array(),
      fc.webUrl().map((url) => new URL(url)),
    ],
  });

  it("gives the same value, and the same text again", () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = encode(value);
        const back = decode(text);
        // Not toStrictEqual: it takes a key `constructor` for the class.
        expect({ text, isEqual: isDeepStrictEqual(back, value) }).toEqual({ text, isEqual: true });
        expect(encode(back)).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it("writes neither NUL nor lone surrogates", () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = encode(value);
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toContain("\0");
      }),
    );
    const odd = { "\ud800key\0": "\udfff\0" };
    expect(encode(odd)).toBe('{"\\ud800key\\u0000":"\\udfff\\u0000"}');
    expect(decode(encode(odd))).toStrictEqual(odd);
  });

  it("leaves the value alone", () => {
    const value = { at: new Date(0), list: [1n, { $: 1 }], __proto__: null };
    const before = structuredClone(value);
    encode(value);
    expect(value).toEqual(before);
    expect(Object.isFrozen(value)).toBe(false);
    expect(encode(Object.freeze([Object.freeze({ d: new Date(0) })]))).toBe('[{"d":{"$":"Date","v":0}}]');
  });

  it("keeps errors inside other values, at any class, with bounded causes", () => {
    class CardError extends Error {
      override name = "CardError";
    }
    const back = decode(encode({ errors: [new CardError("declined", { cause: new TypeError("t") })] })) as {
      errors: Error[];
    };
    expect(back.errors[0]).toMatchObject({ name: "CardError", message: "declined", cause: { name: "TypeError" } });
    const cyclic = new Error("c");
    cyclic.cause = cyclic;
    expect((decode(encode(cyclic)) as Error).message).toBe("c");
  });

  it("keeps an error whose details look like a tag", () => {
    const error = Object.assign(new Error("x"), { details: { $: "Date", v: "no date" } });
    expect(decode(encode(error))).toMatchObject({ details: { $: "Date", v: "no date" } });
  });

  it("does not tag tags twice, nor shared objects once", () => {
    const at = new Date(5);
    const shared = { at };
    const back = decode(encode([shared, shared])) as (typeof shared)[];
    expect(back).toEqual([{ at }, { at }]);
  });

  it("views only its part of a buffer, and detaches from it", () => {
    const view = new Uint8Array(new Uint8Array([9, 1, 2, 9]).buffer, 1, 2);
    const back = decode(encode(view)) as Uint8Array;
    expect(back).toStrictEqual(new Uint8Array([1, 2]));
    expect(back.buffer.byteLength).toBe(2);
  });
});

describe("__proto__", () => {
  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"a":{"__proto__":{"$":"Date","v":0}},"b":{"$":"undefined"}}',
    '{"$":"Object","v":{"$":1,"__proto__":{"polluted":1}}}',
  ])("stays an own key in %s", (text) => {
    const value = decode(text) as Record<string, unknown>;
    expect(encode(value)).toBe(text);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect("polluted" in value).toBe(false);
  });

  it("survives beside values that are tagged, in every position", () => {
    const value = JSON.parse('{"__proto__":{"x":1},"z":0}') as Record<string, unknown>;
    value["z"] = 1n;
    expect(encode(value)).toBe('{"__proto__":{"x":1},"z":{"$":"BigInt","v":"1"}}');
    Object.defineProperty(value, "__proto__", { value: new Date(0), enumerable: true });
    expect(encode(value)).toBe('{"__proto__":{"$":"Date","v":0},"z":{"$":"BigInt","v":"1"}}');
  });
});
