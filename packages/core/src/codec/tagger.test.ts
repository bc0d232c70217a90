import { describe, expect, it } from "vitest";
import { jsonCodec } from "./json-codec.ts";

const encode = (value: unknown) => jsonCodec.encode(value);

function refusal(path: string, reason: string | RegExp) {
  return expect.objectContaining({
    name: "UsageError",
    code: "not-serializable",
    message: expect.stringContaining(`${path} is `),
    details: { path, reason: expect.stringMatching(reason) },
  });
}

describe("refused values", () => {
  class Money {
    amount = 1;
  }
  const sparse: number[] = [];
  sparse[0] = 1;
  sparse[2] = 3;
  const thrower = {
    get broken(): never {
      throw new Error("getter");
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();

  it.each<[path: string, reason: RegExp, make: () => unknown]>([
    ["$", /a function/, () => () => 1],
    ["$.items[3].callback", /a function/, () => ({ items: [1, 2, 3, { callback() {} }] })],
    ["$.a", /a symbol/, () => ({ a: Symbol("s") })],
    ['$["odd key"]', /symbol as a key/, () => ({ "odd key": { [Symbol("s")]: 1 } })],
    ["$.list[1]", /hole/, () => ({ list: sparse })],
    ["$.money", /instance of Money/, () => ({ money: new Money() })],
    ["$.o", /instance of Object|prototype of its own/, () => ({ o: Object.create({ inherited: 1 }) })],
    ["$[0]", /instance of RegExp/, () => [/x/]],
    ["$", /instance of Buffer/, () => Buffer.from("x")],
    ["$", /instance of Float64Array/, () => new Float64Array(1)],
    ["$", /prototype of its own/, () => new (class extends Map {})()],
    ["$", /instance of Dates/, () => new (class Dates extends Date {})()],
    ["$", /instance of List/, () => new (class List extends Array {})()],
    ["$", /instance of Promise/, () => Promise.resolve()],
    ["$", /instance of WeakMap/, () => new WeakMap()],
    ["$", /instance of Number/, () => Object(1)],
    ["$.a.thrower.broken", /throws an error/, () => ({ a: { deep: [0], thrower } })],
    ["$[1]", /throws an error/, () => [{ first: [1, [2]] }, revoked.proxy]],
    ["$.fake", /throws an error/, () => ({ fake: Object.create(Date.prototype) })],
    ["$[0][1].f", /a function/, () => new Map([["k", { f() {} }]])],
    ["$.s[1]", /a function/, () => ({ s: new Set([1, () => 1]) })],
    ["$.f", /a function/, () => ({ $: "x", f() {} })],
    ["$.toJSON", /a function/, () => ({ toJSON: () => 1 })],
  ])("%s, for %s", (path, reason, make) => {
    const value = make();
    expect(() => encode(value)).toThrow(refusal(path, reason));
  });

  it("hands on what an accessor threw", () => {
    expect(() => encode(thrower)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ message: "getter" }) }),
    );
  });

  it("cycles, with both ends", () => {
    const object: Record<string, unknown> = { list: [1] };
    object["list"] = [0, { back: object }];
    expect(() => encode(object)).toThrow(refusal("$.list[1].back", /^a reference back to \$$/));
    const tail: Record<string, unknown> = {};
    tail["self"] = tail;
    expect(() => encode({ a: { tail } })).toThrow(refusal("$.a.tail.self", /^a reference back to \$\.a\.tail$/));
    const map = new Map<string, unknown>();
    map.set("self", map);
    expect(() => encode({ map })).toThrow(refusal("$.map[0][1]", /^a reference back to \$\.map$/));
  });

  it("does not call toJSON, listed or not", () => {
    const hidden = Object.defineProperty({ a: 1 }, "toJSON", { value: () => "called" });
    expect(encode({ hidden, other: 1 })).toBe('{"hidden":{"a":1},"other":1}');
    const at = Object.assign(new Date(0), { toJSON: () => "called" });
    expect(encode(at)).toBe('{"$":"Date","v":0}');
  });

  it("ignores keys that are not listed", () => {
    expect(encode(Object.defineProperty({ a: 1 }, Symbol("s"), { value: 1 }))).toBe('{"a":1}');
    expect(encode(Object.defineProperty({ a: 1 }, "$", { value: 1 }))).toBe('{"a":1}');
  });

  it("names the accessor that throws behind a value that was tagged", () => {
    const object = {
      before: 1,
      at: { deep: [new Date(0)] },
      get broken(): never {
        throw new Error("getter");
      },
    };
    expect(() => encode(object)).toThrow(refusal("$.broken", /throws an error/));
  });

  it("gives a typed error for an accessor that throws undefined", () => {
    const odd = Object.defineProperty({}, "x", {
      enumerable: true,
      get() {
        throw undefined;
      },
    });
    expect(() => encode(odd)).toThrow(refusal("$.x", /throws an error/));
  });

  it("gives a typed error for an accessor that throws only later", () => {
    let reads = 0;
    const fickle = {
      get x() {
        reads += 1;
        if (reads > 1) throw new Error("later");
        return 1;
      },
    };
    expect(() => encode(fickle)).toThrow(expect.objectContaining({ code: "not-serializable" }));
  });

  it("encodes within encoding", () => {
    const outer = {
      get inner() {
        return encode({ at: new Date(0) });
      },
      f() {},
    };
    expect(() => encode(outer)).toThrow(refusal("$.f", /a function/));
  });
});
