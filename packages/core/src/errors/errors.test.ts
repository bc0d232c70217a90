import { describe, expect, it } from "vitest";
import { toFailure } from "../model/to-failure.ts";
import {
  ActivityFailedError,
  CancelledError,
  ChildFailedError,
  DeterminismError,
  isPerdureError,
  NonRetryableError,
  PerdureError,
  ResultTimeoutError,
  RetryableError,
  RunCancelledError,
  RunFailedError,
  StorageError,
  TimedOutError,
  UsageError,
} from "./index.ts";

const cause = new TypeError("card declined");

const table: readonly [PerdureError, name: string, code: string, details: object, says: string][] = [
  [new UsageError("run-closed", "Run is closed. Start another."), "UsageError", "run-closed", {}, "Run is closed"],
  [new DeterminismError("determinism", "It differs. Redeploy."), "DeterminismError", "determinism", {}, "Redeploy"],
  [new StorageError("corrupt", "Bad bytes. Restore."), "StorageError", "corrupt", {}, "Restore"],
  [
    new ActivityFailedError({ activity: "charge", attempts: 3, cause }),
    "ActivityFailedError",
    "activity-failed",
    { activity: "charge", attempts: 3 },
    'Activity "charge" failed after 3 attempts: card declined. To go on',
  ],
  [
    new ChildFailedError({ workflow: "ship", runId: "r-1", cause }),
    "ChildFailedError",
    "child-failed",
    { workflow: "ship", runId: "r-1" },
    'Child run "r-1" of workflow "ship" failed: card declined.',
  ],
  [new CancelledError(), "CancelledError", "cancelled", {}, "The run was cancelled. Clean up"],
  [
    new CancelledError({ reason: "too late" }),
    "CancelledError",
    "cancelled",
    { reason: "too late" },
    "cancelled: too late.",
  ],
  [
    new TimedOutError({ what: 'signal "approved"', timeoutMs: 50 }),
    "TimedOutError",
    "timed-out",
    { what: 'signal "approved"', timeoutMs: 50 },
    'after 50 ms waiting for signal "approved".',
  ],
  [
    new RunFailedError({ runId: "r-1", failure: toFailure(cause) }),
    "RunFailedError",
    "run-failed",
    { runId: "r-1" },
    'Run "r-1" failed: card declined.',
  ],
  [
    new RunCancelledError({ runId: "r-1", reason: "asked to" }),
    "RunCancelledError",
    "run-cancelled",
    { runId: "r-1", reason: "asked to" },
    'Run "r-1" was cancelled: asked to.',
  ],
  [
    new ResultTimeoutError({ runId: "r-1", timeoutMs: 5 }),
    "ResultTimeoutError",
    "result-timeout",
    { runId: "r-1", timeoutMs: 5 },
    'Run "r-1" had no result after 5 ms.',
  ],
  [new RetryableError("busy", { retryAfter: "5s" }), "RetryableError", "retryable", {}, "busy"],
  [new NonRetryableError("stolen"), "NonRetryableError", "non-retryable", {}, "stolen"],
];

describe.each(table)("%s", (error, name, code, details, says) => {
  it("has a stable code, a name, details and a message", () => {
    expect(error).toBeInstanceOf(PerdureError);
    expect(error).toMatchObject({ name, code, details });
    expect(error.message).toContain(says);
    expect(String(error)).toBe(`${name}: ${error.message}`);
  });

  it("is recognised by its code alone", () => {
    expect(isPerdureError(error)).toBe(true);
    expect(isPerdureError(error, code as "run-closed")).toBe(true);
    expect(isPerdureError(error, "unknown-workflow")).toBe(false);
  });

  it("is recorded with its code and details", () => {
    const failure = toFailure(error);
    expect(failure).toMatchObject({ name, code, message: error.message });
    expect(failure.details ?? {}).toEqual(details);
  });
});

describe("isPerdureError", () => {
  it("recognises errors of another copy of the package", () => {
    const foreign = Object.assign(new Error("x"), { code: "run-exists", [Symbol.for("perdure.error")]: true });
    expect(isPerdureError(foreign, "run-exists")).toBe(true);
    expect(foreign).not.toBeInstanceOf(PerdureError);
  });

  it.each([null, undefined, "x", 1, {}, new Error("x"), Object.assign(new Error("x"), { code: "run-exists" })])(
    "is false for %s",
    (value) => {
      expect(isPerdureError(value)).toBe(false);
      expect(isPerdureError(value, "run-exists")).toBe(false);
    },
  );

  it("is false for a proxy that throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isPerdureError(proxy)).toBe(false);
  });
});

describe("causes", () => {
  it("stand where Error has them, and only if given", () => {
    expect(new UsageError("unsupported", "x", { cause: 5 }).cause).toBe(5);
    expect("cause" in new UsageError("unsupported", "x")).toBe(false);
    expect(new ActivityFailedError({ activity: "a", attempts: 1, cause }).cause).toBe(cause);
    expect(new RunFailedError({ runId: "r", failure: toFailure(cause) }).cause).toMatchObject({ name: "TypeError" });
  });
});

describe("StorageError", () => {
  it.each([
    ["unavailable", true],
    ["corrupt", false],
    ["schema-version", false],
    ["read-only", false],
    ["misconfigured", false],
    ["missing-driver", false],
  ] as const)("%s: retryable is %s", (code, retryable) => {
    expect(new StorageError(code, "x").retryable).toBe(retryable);
  });
});

describe("errors that steer retries", () => {
  it("are recorded with what they ask for", () => {
    expect(toFailure(new RetryableError("busy", { retryAfter: "5s" })).retryAfterMs).toBe(5_000);
    expect(toFailure(new RetryableError("busy", { retryAfter: new Date(7_000) }), 1_000).retryAfterMs).toBe(6_000);
    expect(toFailure(new RetryableError("busy"))).not.toHaveProperty("retryAfterMs");
    expect(toFailure(new NonRetryableError("stolen", { cause })).nonRetryable).toBe(true);
    expect(toFailure(new NonRetryableError("stolen", { cause })).cause?.message).toBe("card declined");
  });
});
