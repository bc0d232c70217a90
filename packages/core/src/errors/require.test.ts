import { describe, expect, it } from "vitest";
import type { Duration } from "../model/duration.ts";
import { requireDuration } from "./require-duration.ts";
import { requireRetry } from "./require-retry.ts";

describe("requireDuration", () => {
  it("answers milliseconds", () => {
    expect(requireDuration("30s", "timeout")).toBe(30_000);
  });

  it.each([
    ["5 minutes", '"5 minutes"'],
    [Number.NaN, '"NaN"'],
    [-1, "-1"],
    [5n, '"5"'],
    [null, "null"],
    [undefined, '"undefined"'],
    [{ a: 1 }, '{"a":1}'],
    ["x".repeat(1e6), "x…"],
  ])("names a wrong value, the option and the remedy", (value, shown) => {
    expect(() => requireDuration(value as Duration, 'timeout of workflow "order"')).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        message: expect.stringMatching(/^The timeout of workflow "order" is .{1,600}, which is not a duration\. Give/s),
        details: { what: 'timeout of workflow "order"' },
      }),
    );
    expect(() => requireDuration(value as Duration, "x")).toThrow(shown);
  });
});

describe("requireRetry", () => {
  it("answers a policy, also for none", () => {
    expect(requireRetry(undefined, "retry").maximumAttempts).toBe(3);
    expect(requireRetry(1, "retry").maximumAttempts).toBe(1);
  });

  it("says which part is wrong", () => {
    expect(() => requireRetry({ jitter: 2 }, 'retry of activity "charge"')).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        message: expect.stringContaining('retry of activity "charge" is not a retry policy: jitter must be'),
      }),
    );
  });
});
