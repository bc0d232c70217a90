import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonCodec, jsonCodec } from "./json-codec.ts";

const encode = (value: unknown) => jsonCodec.encode(value);
const decode = (text: string) => jsonCodec.decode(text);

function nested(levels: number, wrap: (inner: unknown) => unknown = (inner) => [inner]): unknown {
  let value: unknown = 0;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

describe("depth", () => {
  it.each<[string, (inner: unknown) => unknown, perWrap: number]>([
    ["arrays", (inner) => [inner], 1],
    ["objects", (inner) => ({ a: inner }), 1],
    ["objects with $", (inner) => ({ $: inner }), 1],
    ["sets", (inner) => new Set([inner]), 1],
    ["maps", (inner) => new Map([[0, inner]]), 2],
  ])("of %s: 200 levels go through, 201 do not", (_, wrap, perWrap) => {
    const deepest = nested(200 / perWrap, wrap);
    expect(decode(encode(deepest))).toEqual(deepest);
    expect(() => encode(perWrap === 1 ? nested(201, wrap) : [deepest])).toThrow(
      expect.objectContaining({
        code: "not-serializable",
        message: expect.stringContaining("nested deeper than 200 levels"),
      }),
    );
  });

  it("leaves room for a record around the deepest payload, and for no more", () => {
    const text = encode(nested(200));
    expect(decode(`{"input":${text}}`)).toEqual({ input: nested(200) });
    expect(() => decode("[".repeat(9) + text + "]".repeat(9))).toThrow(expect.objectContaining({ code: "corrupt" }));
    const tagged = encode(nested(199, (inner) => [inner, undefined]));
    expect(() => decode("[".repeat(10) + tagged + "]".repeat(10))).toThrow(
      expect.objectContaining({ code: "corrupt" }),
    );
  });

  it.each([
    ["arrays", "[".repeat(1e6) + "]".repeat(1e6)],
    ["objects", '{"a":'.repeat(1e6) + "1" + "}".repeat(1e6)],
    ["tags", '{"$":"Set","v":['.repeat(1e6) + "]}".repeat(1e6)],
    ["user objects", '{"$":"Object","v":{"$":'.repeat(1e5) + "1" + "}}".repeat(1e5)],
    ["causes", '{"$":"Error","v":' + '{"name":"a","message":"b","cause":'.repeat(1e5) + "1" + "}".repeat(1e5) + "}"],
    ["open ends", "[".repeat(1e6)],
  ])("a million levels of %s are corrupt, not a stack overflow", (_, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ name: "StorageError", code: "corrupt" }));
  });

  it("does not count brackets inside strings", () => {
    const value = [`${"[{".repeat(500)}"`, "\\", `\\"${"[".repeat(500)}`, { "[[[[": "\\\\" }];
    expect(decode(encode(value))).toEqual(value);
  });

  it("follows maxDepth", () => {
    const shallow = createJsonCodec({ maxDepth: 2 });
    expect(shallow.encode([[1]])).toBe("[[1]]");
    expect(() => shallow.encode([[[1]]])).toThrow(
      expect.objectContaining({ details: { path: "$[0][0]", reason: "nested deeper than 2 levels" } }),
    );
  });
});

describe("size", () => {
  const small = createJsonCodec({ maxBytes: 10 });

  it("is counted in UTF-8 bytes of the text", () => {
    expect(small.encode("12345678")).toBe('"12345678"');
    expect(small.encode("éééé")).toBe('"éééé"');
    for (const value of ["123456789", "ééééé", "😀😀x", "\0\0", { a: "1234567890" }, new Uint8Array(20)]) {
      expect(() => small.encode(value)).toThrow(
        expect.objectContaining({
          name: "UsageError",
          code: "payload-too-large",
          details: expect.objectContaining({ limit: 10 }),
        }),
      );
    }
    expect(() => small.encode("ééééé")).toThrow(expect.objectContaining({ details: { size: 12, limit: 10 } }));
  });

  it("is 1 MiB by default", () => {
    expect(encode("x".repeat(2 ** 20 - 2)).length).toBe(2 ** 20);
    expect(() => encode("x".repeat(2 ** 20 - 1))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/1048577 bytes.*limit is 1048576\. Keep/) }),
    );
  });

  it("ends early for shared objects that would fill the universe", () => {
    let bomb: unknown = "x";
    for (let i = 0; i < 150; i++) bomb = { a: bomb, b: bomb };
    expect(() => encode(bomb)).toThrow(expect.objectContaining({ code: "payload-too-large" }));
    let text: unknown = "x".repeat(1e5);
    for (let i = 0; i < 30; i++) text = [text, text];
    expect(() => encode(text)).toThrow(expect.objectContaining({ code: "payload-too-large" }));
  });

  it("refuses bytes before it makes text of them", () => {
    expect(() => encode(new Uint8Array(2 ** 30))).toThrow(expect.objectContaining({ code: "payload-too-large" }));
  });

  it("never refuses a value whose text fits", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = encode(value);
        expect(createJsonCodec({ maxBytes: Buffer.byteLength(text) }).encode(value)).toBe(text);
      }),
    );
  });
});

describe("createJsonCodec", () => {
  it.each([
    { maxDepth: 0 },
    { maxDepth: 1_001 },
    { maxDepth: 1.5 },
    { maxBytes: 0 },
    { maxBytes: Infinity },
    { maxBytes: Number.NaN },
  ])("refuses %j", (options) => {
    expect(() => createJsonCodec(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it("goes 1,000 levels deep when asked to", () => {
    const deep = createJsonCodec({ maxDepth: 1_000 });
    const value = nested(1_000, (inner) => ({ $: inner }));
    expect(encode(decode(deep.encode(nested(150))))).toBe(deep.encode(nested(150)));
    expect(deep.encode(deep.decode(deep.encode(value)))).toBe(deep.encode(value));
  });
});
