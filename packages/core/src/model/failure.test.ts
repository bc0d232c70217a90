import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFailure, maxFailureCauses } from "./failure.ts";
import { failureToError } from "./failure-to-error.ts";
import { toFailure } from "./to-failure.ts";

const brand = Symbol.for("perdure.error");

function causes(error: { cause?: unknown } | undefined): number {
  return error?.cause === undefined ? 0 : 1 + causes(error.cause as { cause?: unknown });
}

function refuse(): never {
  throw new Error("trap");
}

describe("toFailure", () => {
  it("records name, message, code, stack and cause of an error", () => {
    const error = Object.assign(new TypeError("no", { cause: new RangeError("deep") }), { code: "E_NO" });
    expect(toFailure(error)).toEqual({
      name: "TypeError",
      message: "no",
      code: "E_NO",
      stack: error.stack,
      cause: { name: "RangeError", message: "deep", stack: (error.cause as Error).stack },
    });
  });

  it.each([
    ["boom", "boom"],
    ["", ""],
    [null, "null"],
    [undefined, "undefined"],
    [42, "42"],
    [5n, "5"],
    [Symbol("s"), "Symbol(s)"],
    [() => 1, "[function]"],
    [{ status: 500 }, '{"status":500}'],
    [[1, 2], "[1,2]"],
    [{ message: 5 }, '{"message":5}'],
  ])("describes a thrown %s", (thrown, message) => {
    expect(toFailure(thrown)).toEqual({ name: "Error", message });
  });

  it("takes anything with a message for an error", () => {
    expect(toFailure({ name: "Odd", message: "m", code: 7 })).toEqual({ name: "Odd", message: "m", code: 7 });
    expect(toFailure(Object.assign(Object.create(null), { message: "m" }))).toEqual({ name: "Error", message: "m" });
  });

  it("reads around throwing getters", () => {
    const error = new Error("kept");
    for (const key of ["name", "stack", "code", "cause", "details", "retryAfterMs"]) {
      Object.defineProperty(error, key, {
        get() {
          throw new Error(key);
        },
      });
    }
    expect(toFailure(error)).toEqual({ name: "Error", message: "kept" });
  });

  it("survives proxies that throw on everything", () => {
    const thrown = new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse, has: refuse });
    expect(toFailure(thrown)).toEqual({ name: "Error", message: "[unreadable]" });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(toFailure(proxy)).toEqual({ name: "Error", message: "[unreadable]" });
  });

  it("breaks cycles of causes", () => {
    const a = new Error("a");
    const b = new Error("b", { cause: a });
    a.cause = b;
    expect(toFailure(a)).toMatchObject({ message: "a", cause: { message: "b" } });
    expect(causes(toFailure(a))).toBe(1);
    const self = new Error("self");
    self.cause = self;
    expect(toFailure(self)).not.toHaveProperty("cause");
  });

  it("caps the depth of causes and the length of texts", () => {
    let error = new Error("0");
    for (let i = 1; i < 1_000; i++) error = new Error(`${i}`, { cause: error });
    expect(causes(toFailure(error))).toBe(maxFailureCauses);

    const long = toFailure(
      Object.assign(new Error("m".repeat(1e6)), { name: "n".repeat(1e6), stack: "s".repeat(1e6) }),
    );
    expect([long.message.length, long.name.length, long.stack?.length]).toEqual([8_192, 256, 4_096]);
  });

  it("keeps a cause that is no error", () => {
    expect(toFailure(new Error("x", { cause: "why" })).cause).toEqual({ name: "Error", message: "why" });
    expect(toFailure(new Error("x", { cause: null })).cause).toEqual({ name: "Error", message: "null" });
  });

  it("lists the errors of an AggregateError", () => {
    const errors = Array.from({ length: 30 }, (_, i) => new TypeError(`t${i}`));
    const { name, details } = toFailure(new AggregateError(errors, "all failed"));
    expect(name).toBe("AggregateError");
    expect(details?.["errors"]).toHaveLength(10);
    expect(details).toMatchObject({ errors: expect.arrayContaining(["TypeError: t0", "TypeError: t9"]) });
  });

  it("reads what steers retries", () => {
    expect(toFailure(Object.assign(new Error("x"), { nonRetryable: true })).nonRetryable).toBe(true);
    expect(toFailure(Object.assign(new Error("x"), { nonRetryable: "yes" }))).not.toHaveProperty("nonRetryable");
    expect(toFailure(Object.assign(new Error("x"), { retryAfterMs: 20.4 })).retryAfterMs).toBe(20);
    expect(toFailure(Object.assign(new Error("x"), { retryAfterMs: -1 }))).not.toHaveProperty("retryAfterMs");
  });

  it.each([
    ["30s", 1_000, 30_000],
    [250, 1_000, 250],
    [new Date(5_000), 1_000, 4_000],
    [new Date(500), 1_000, 0],
    [new Date(5_000), undefined, undefined],
    [new Date(Number.NaN), 1_000, undefined],
    ["soon", 1_000, undefined],
  ])("resolves retryAfter %s of a branded error at %s to %s", (retryAfter, now, expected) => {
    const error = Object.assign(new Error("busy"), { [brand]: true, retryAfter });
    expect(toFailure(error, now).retryAfterMs).toBe(expected);
  });

  it("ignores retryAfter of foreign errors, which count in seconds", () => {
    expect(toFailure(Object.assign(new Error("busy"), { retryAfter: 30 }))).not.toHaveProperty("retryAfterMs");
  });

  it("answers bounded JSON for anything at all", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withObjectString: true }), (thrown) => {
        const failure = toFailure(thrown);
        expect(isFailure(failure)).toBe(true);
        expect(JSON.parse(JSON.stringify(failure))).toEqual(failure);
      }),
    );
  });
});

describe("failureToError", () => {
  const failure = {
    name: "PaymentError",
    message: "declined",
    code: "E_CARD",
    stack: "PaymentError: declined\n    at charge (bank.ts:1:1)",
    nonRetryable: true,
    retryAfterMs: 5,
    details: { card: "visa" },
    cause: { name: "Error", message: "upstream", code: 42, stack: "Error: upstream" },
  } as const;

  it("shows what was recorded", () => {
    const error = failureToError(failure);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "PaymentError", message: "declined", code: "E_CARD", stack: failure.stack });
    expect(error.cause).toMatchObject({ message: "upstream", code: 42 });
    expect(String(error)).toBe("PaymentError: declined");
  });

  it("lists no more properties than a native error would", () => {
    expect(
      Object.keys(failureToError({ name: "X", message: "m", stack: "s", cause: { name: "Y", message: "c" } })),
    ).toEqual([]);
  });

  it("has the same stack text wherever it is made", () => {
    expect(failureToError({ name: "X", message: "m" }).stack).toBe("X: m");
  });

  it("is recorded as the same failure again", () => {
    expect(toFailure(failureToError(failure))).toEqual(failure);
    const aggregate = toFailure(new AggregateError([new Error("a")], "all"));
    expect(toFailure(failureToError(aggregate))).toEqual(aggregate);
  });

  it("cuts hostile chains of causes", () => {
    let chain: Parameters<typeof failureToError>[0] = { name: "E", message: "0" };
    for (let i = 0; i < 1e5; i++) chain = { name: "E", message: "m", cause: chain };
    expect(causes(failureToError(chain))).toBe(maxFailureCauses);
  });
});

describe("isFailure", () => {
  it.each([null, 1, "x", [], {}, { name: "x" }, { name: 1, message: "m" }, { name: "x", message: "m", cause: "y" }])(
    "is false for %j",
    (value) => {
      expect(isFailure(value)).toBe(false);
    },
  );

  it.each([{ code: {} }, { stack: 1 }, { nonRetryable: false }, { retryAfterMs: "1" }, { details: [] }])(
    "is false with %j",
    (part) => {
      expect(isFailure({ name: "x", message: "m", ...part })).toBe(false);
    },
  );
});
