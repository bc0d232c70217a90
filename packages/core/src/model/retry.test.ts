import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxDurationMs } from "./duration.ts";
import { nextDelay, normalizeRetry, type Retry, type RetryPolicy } from "./retry.ts";

const steady = 0.5; // the draw that jitter leaves alone

function policy(retry?: Retry): RetryPolicy {
  const result = normalizeRetry(retry);
  if ("invalid" in result) throw new Error(result.invalid);
  return result;
}

function delays(retry: Retry, count: number): (number | null)[] {
  return Array.from({ length: count }, (_, i) => nextDelay(policy(retry), i + 1, steady));
}

describe("normalizeRetry", () => {
  it("fills in three attempts, exponential from 1 s to 5 min, jitter 0.1", () => {
    expect(normalizeRetry(undefined)).toEqual({
      maximumAttempts: 3,
      delay: { kind: "exponential", initialMs: 1_000, factor: 2, maximumMs: 300_000 },
      jitter: 0.1,
      nonRetryable: [],
    });
    expect(normalizeRetry({})).toEqual(normalizeRetry(undefined));
  });

  it("takes a number as the attempts", () => {
    expect(normalizeRetry(7)).toEqual({ ...policy(), maximumAttempts: 7 });
  });

  it("is plain JSON, for unlimited attempts too", () => {
    const unlimited = policy({ maximumAttempts: Infinity, delay: ["1s", 5], nonRetryable: ["TypeError"] });
    expect(unlimited.maximumAttempts).toBeNull();
    expect(JSON.parse(JSON.stringify(unlimited))).toEqual(unlimited);
  });

  it("raises the default maximum to a longer initial delay", () => {
    expect(policy({ delay: { initial: "10m" } }).delay).toMatchObject({ initialMs: 600_000, maximumMs: 600_000 });
  });

  it("copies the lists it is given", () => {
    const names = ["A"];
    const result = policy({ nonRetryable: names });
    names.push("B");
    expect(result.nonRetryable).toEqual(["A"]);
  });

  it.each([
    [0, "maximumAttempts"],
    [-1, "maximumAttempts"],
    [1.5, "maximumAttempts"],
    [Number.NaN, "maximumAttempts"],
    [{ maximumAttempts: "3" }, "maximumAttempts"],
    [{ maxAttempts: 3 }, "'maxAttempts'"],
    [{ jitter: 1.1 }, "jitter"],
    [{ jitter: -0.1 }, "jitter"],
    [{ jitter: Number.NaN }, "jitter"],
    [{ nonRetryable: "TypeError" }, "nonRetryable"],
    [{ nonRetryable: [TypeError] }, "nonRetryable"],
    [{ delay: "soon" }, "delay"],
    [{ delay: [] }, "empty"],
    [{ delay: ["1s", "-1s"] }, "delay"],
    [{ delay: {} }, "delay.initial"],
    [{ delay: { initial: "1s", factor: 0.5 } }, "delay.factor"],
    [{ delay: { initial: "1s", factor: Infinity } }, "delay.factor"],
    [{ delay: { initial: "2s", maximum: "1s" } }, "delay.maximum"],
    [{ delay: { initial: "2s", max: "1s" } }, "'max'"],
    ["3", "number of attempts or an object"],
    [[3], "number of attempts or an object"],
    [() => 3, "number of attempts or an object"],
  ])("refuses %j and names %s", (retry, part) => {
    expect(normalizeRetry(retry as Retry)).toEqual({ invalid: expect.stringContaining(part) });
  });
});

describe("nextDelay (I16)", () => {
  it("doubles from one second by default", () => {
    expect(delays({ maximumAttempts: 5 }, 5)).toEqual([1_000, 2_000, 4_000, 8_000, null]);
  });

  it("stops growing at the maximum, and does not overflow", () => {
    const unlimited = { maximumAttempts: Infinity, delay: { initial: "1m", factor: 3, maximum: "10m" } } as const;
    expect(delays(unlimited, 4)).toEqual([60_000, 180_000, 540_000, 600_000]);
    expect(nextDelay(policy(unlimited), 1e9, steady)).toBe(600_000);
    expect(nextDelay(policy({ ...unlimited, delay: { initial: 0 } }), 1e9, steady)).toBe(0);
  });

  it("uses a list in order and repeats its last element", () => {
    expect(delays({ maximumAttempts: 6, delay: ["1s", "5s", 100] }, 5)).toEqual([1_000, 5_000, 100, 100, 100]);
  });

  it("waits one second each time when fixed, and any duration when given", () => {
    expect(delays({ maximumAttempts: 4, delay: "fixed" }, 3)).toEqual([1_000, 1_000, 1_000]);
    expect(delays({ maximumAttempts: 4, delay: "2m" }, 2)).toEqual([120_000, 120_000]);
  });

  it.each([1, 2, 3, 10])("executes %d times for as many attempts", (attempts) => {
    let executions = 1;
    while (nextDelay(policy(attempts), executions, steady) !== null) executions += 1;
    expect(executions).toBe(attempts);
  });

  it("gives up on a non-retryable failure name", () => {
    const strict = policy({ maximumAttempts: 5, nonRetryable: ["CardDeclined"] });
    expect(nextDelay(strict, 1, steady, "CardDeclined")).toBeNull();
    expect(nextDelay(strict, 1, steady, "CardDeclinedError")).toBe(1_000);
  });

  it("uses the delay that the failure asked for, without jitter, but counts the attempt", () => {
    expect(nextDelay(policy(3), 1, 0, undefined, 777)).toBe(777);
    expect(nextDelay(policy(3), 3, 0, undefined, 777)).toBeNull();
    expect(nextDelay(policy(3), 1, 0, undefined, 1e300)).toBe(maxDurationMs);
  });

  it("moves the delay by the jitter at most", () => {
    const jittered = policy({ delay: "1s", jitter: 0.2 });
    expect(nextDelay(jittered, 1, 0)).toBe(800);
    expect(nextDelay(jittered, 1, 1)).toBe(1_200);
    expect(nextDelay(policy({ delay: "1s", jitter: 1 }), 1, 0)).toBe(0);
  });

  it("always answers whole milliseconds within the jitter", () => {
    fc.assert(
      fc.property(
        fc.nat(1e9),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ms, jitter, random) => {
          const delay = nextDelay(policy({ delay: ms, jitter }), 1, random) as number;
          expect(Number.isInteger(delay) && delay >= 0).toBe(true);
          expect(Math.abs(delay - ms)).toBeLessThanOrEqual(ms * jitter + 1);
        },
      ),
    );
  });
});
