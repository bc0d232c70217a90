import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedJson, cutText } from "./bounded-json.ts";

describe("boundedJson", () => {
  it("keeps small JSON as it is", () => {
    const value = { a: [1, "x", null, true], b: { c: { d: 1 } } };
    expect(boundedJson(value)).toEqual(value);
  });

  it("replaces what JSON cannot hold", () => {
    const value = {
      f: () => 1,
      n: 5n,
      s: Symbol("s"),
      d: new Date(0),
      e: new TypeError("no"),
      nan: Number.NaN,
      u: undefined,
    };
    expect(boundedJson(value)).toEqual({
      f: "[function]",
      n: "5",
      s: "Symbol(s)",
      d: "1970-01-01T00:00:00.000Z",
      e: "TypeError: no",
      nan: "NaN",
    });
  });

  it("survives cycles, throwing getters and revoked proxies", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = {
      cyclic,
      proxy,
      get thrower(): never {
        throw new Error("no");
      },
    };
    expect(boundedJson(hostile)).toEqual({
      cyclic: { self: { self: { self: "[…]" } } },
      proxy: "[unreadable]",
      thrower: "[unreadable]",
    });
  });

  it("keeps a key __proto__ as a key", () => {
    const copy = boundedJson(JSON.parse('{"__proto__":{"polluted":true}}')) as object;
    expect(Object.keys(copy)).toEqual(["__proto__"]);
    expect("polluted" in copy).toBe(false);
  });

  it.each([
    ["wide", Array.from({ length: 1e5 }, (_, i) => i)],
    ["long", "x".repeat(1e6)],
    ["long keys", Object.fromEntries(Array.from({ length: 1e3 }, (_, i) => ["k".repeat(1e3) + i, "v".repeat(1e3)]))],
  ])("stays small for something %s", (_, value) => {
    expect(JSON.stringify(boundedJson(value)).length).toBeLessThan(8_192);
  });

  it("makes an equal copy of its copy", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
        const copy = boundedJson(value);
        expect(boundedJson(copy)).toEqual(copy);
        expect(JSON.parse(JSON.stringify(copy))).toEqual(copy);
      }),
    );
  });
});

describe("cutText", () => {
  it("never halves a surrogate pair", () => {
    expect(cutText("ab😀cd", 4)).toBe("ab…");
    expect(cutText("ab😀cd", 5)).toBe("ab😀…");
    expect(cutText("ab😀cd", 6)).toBe("ab😀cd");
    expect(cutText("abc", 1)).toBe("…");
  });
});
