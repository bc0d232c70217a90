import { describe, expect, it } from "vitest";
import { INFO } from "../memory/info.ts";
import type { Claim, Limits, NewEvent, TaskId } from "../storage.ts";
import {
  activityCommit,
  activityTask,
  claimRequest,
  event,
  INCARNATION,
  message,
  newRun,
  runQuery,
  workflowCommit,
} from "../../test/port.ts";
import * as validate from "./validate.ts";

const limits: Limits = {
  payloadBytes: 12,
  commitBytes: 30,
  eventsPerCommit: 3,
  tasksPerCommit: 2,
  batch: 4,
  claimTasks: 2,
  eventPage: 10,
  purgeRuns: 10,
  dedupeMs: 1,
};

const claim: Claim = { taskId: `${INCARNATION}:r` as TaskId, runId: "r", incarnation: INCARNATION, epoch: 1 };
const YEAR_10000 = Date.UTC(10_000, 0, 1);

function big(bytes: number): NewEvent {
  return event("A", "é".repeat(bytes / 2));
}

function refused(check: () => unknown): unknown {
  try {
    check();
    return "accepted";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe("ids", () => {
  it.each(["r", " ", "trailing ", "../a\\b:{}*%?#", "\u{1F600}", "a".repeat(255), "é".repeat(127), "\u0001"])(
    "may be %j",
    (id) => {
      expect(refused(() => validate.checkRunId(id))).toBe("accepted");
    },
  );

  it.each([
    "",
    "a".repeat(256),
    "é".repeat(128),
    "\u{1F600}".repeat(64),
    "a\0",
    "\uD83D",
    "\uDE00\uD83D",
    7 as never,
    null as never,
  ])("may not be %j", (id) => {
    expect(refused(() => validate.checkRunId(id))).toBe("invalid-argument");
  });
});

describe("payloads", () => {
  it.each([
    ["", "accepted"],
    ["x".repeat(12), "accepted"],
    ["é".repeat(6), "accepted"],
    ["x".repeat(13), "payload-too-large"],
    ["é".repeat(7), "payload-too-large"],
    ["é".repeat(1_000), "payload-too-large"],
    ["a\0", "invalid-argument"],
    ["\uD83D", "invalid-argument"],
    [{} as never, "invalid-argument"],
  ])("%j: %s", (data, answer) => {
    expect(refused(() => validate.checkMessages([message("r", "m", { data })], limits))).toBe(answer);
    expect(refused(() => validate.checkNewRuns([newRun("r", { input: data })], limits))).toBe(answer);
    expect(refused(() => validate.checkCommits([workflowCommit(claim, { events: [event("A", data)] })], limits))).toBe(
      answer,
    );
  });
});

describe("arguments", () => {
  it("are accepted as the other tests build them", () => {
    const commits = [workflowCommit(claim), activityCommit(claim, { do: "release" })];
    expect(refused(() => validate.checkNewRuns([newRun("r")], limits))).toBe("accepted");
    expect(refused(() => validate.checkClaimRequest(claimRequest(), limits))).toBe("accepted");
    expect(refused(() => validate.checkMessages([message("r", "m")], limits))).toBe("accepted");
    expect(refused(() => validate.checkRunQuery(runQuery()))).toBe("accepted");
    expect(refused(() => validate.checkCommits(commits, limits))).toBe("accepted");
  });

  it.each<[string, () => void]>([
    ["a batch over the limit", () => validate.checkBatch(5, limits)],
    ["a short incarnation", () => validate.checkNewRuns([newRun("r", { incarnation: "short" })], limits)],
    [
      "an incarnation with a colon",
      () => validate.checkNewRuns([newRun("r", { incarnation: "0123456789abcdef:" })], limits),
    ],
    ["a priority of 10", () => validate.checkNewRuns([newRun("r", { priority: 10 })], limits)],
    ["a priority of 0.5", () => validate.checkNewRuns([newRun("r", { priority: 0.5 })], limits)],
    ["an instant before 1970", () => validate.checkNewRuns([newRun("r", { readyAt: -1 })], limits)],
    ["an instant after 9999", () => validate.checkNewRuns([newRun("r", { readyAt: YEAR_10000 })], limits)],
    ["an instant of NaN", () => validate.checkNewRuns([newRun("r", { deadlineAt: Number.NaN })], limits)],
    ["an endless attribute", () => validate.checkNewRuns([newRun("r", { attributes: { a: Infinity } })], limits)],
    [
      "an attribute of another type",
      () => validate.checkNewRuns([newRun("r", { attributes: { a: null as never } })], limits),
    ],
    ["a long attribute", () => validate.checkNewRuns([newRun("r", { attributes: { a: "x".repeat(256) } })], limits)],
    ["an unknown close policy", () => validate.checkNewRuns([newRun("r", { parentClose: "kill" as never })], limits)],
    [
      "an event before its time",
      () => validate.checkNewRuns([newRun("r", { started: { ...event(), at: 1.5 } })], limits),
    ],
    ["a lease of 299 ms", () => validate.checkLeaseMs(299)],
    ["a lease over an hour", () => validate.checkLeaseMs(3_600_001)],
    ["a claim of nothing", () => validate.checkClaimRequest(claimRequest({ limit: 0 }), limits)],
    ["an unknown kind of task", () => validate.checkClaimRequest(claimRequest({ kinds: ["timer" as never] }), limits)],
    ["an epoch of 0", () => validate.checkClaims([{ ...claim, epoch: 0 }], limits)],
    ["a page of 1001 runs", () => validate.checkRunQuery(runQuery({ limit: 1_001 }))],
    ["an unknown status", () => validate.checkRunQuery(runQuery({ status: ["suspended" as never] }))],
    ["an event page of 0", () => validate.checkEventRequests([{ runId: "r", after: 0, limit: 0 }], limits)],
    ["a cache key of 513 bytes", () => validate.checkCacheKeys(["k".repeat(513)], limits)],
    ["a purge of nothing", () => validate.checkPurgeRequest({ closedBefore: 0, limit: 0 }, limits)],
    [
      "a purge of open runs",
      () => validate.checkPurgeRequest({ closedBefore: 0, limit: 1, status: ["open" as never] }, limits),
    ],
    ["a long commit id", () => validate.checkCommits([{ ...workflowCommit(claim), commitId: "c".repeat(65) }], limits)],
    ["a base ahead of history", () => validate.checkCommits([workflowCommit(claim, { run: { baseSeq: 2 } })], limits)],
    [
      "an unknown next step",
      () => validate.checkCommits([workflowCommit(claim, { next: { do: "sleep" } as never })], limits),
    ],
    [
      "a task of another run",
      () => validate.checkCommits([workflowCommit(claim, { schedule: [activityTask("other", 2)] })], limits),
    ],
    [
      "a workflow task among activities",
      () =>
        validate.checkCommits(
          [workflowCommit(claim, { schedule: [activityTask("r", 2, { taskId: claim.taskId })] })],
          limits,
        ),
    ],
    [
      "a task twice",
      () =>
        validate.checkCommits(
          [workflowCommit(claim, { schedule: [activityTask("r", 2), activityTask("r", 2)] })],
          limits,
        ),
    ],
    [
      "an outcome for another run",
      () => validate.checkCommits([activityCommit(claim, { do: "complete", message: message("s", "m") })], limits),
    ],
    ["a workflow commit in a transaction", () => validate.checkCommits([workflowCommit(claim)], limits, { tx: {} })],
  ])("are refused: %s", (_, check) => {
    expect(refused(check)).toBe("invalid-argument");
  });

  it("are refused with their name", () => {
    expect(() => validate.checkRunId("")).toThrow("runId must be a text of 1 … 255 UTF-8 bytes.");
  });

  it("may bring a transaction only where the backend declares it", () => {
    const info = { ...INFO, capabilities: { ...INFO.capabilities, transactions: ["deliver"] as const } };
    expect(refused(() => validate.checkTransaction("deliver", { tx: {} }, info))).toBe("accepted");
    expect(refused(() => validate.checkTransaction("createRuns", { tx: {} }, info))).toBe("unsupported");
    expect(refused(() => validate.checkTransaction("createRuns", {}, info))).toBe("accepted");
  });
});

describe("checkCommit", () => {
  it.each([
    [undefined, { events: [event(), event(), event()], next: { do: "hold" } }],
    [undefined, { events: [big(10), big(10), big(10)] }],
    [undefined, { schedule: [activityTask("r", 2), activityTask("r", 3)] }],
    ["hold-without-events", { next: { do: "hold" } }],
    ["too-many-events", { events: [event(), event(), event(), event()] }],
    ["too-many-tasks", { schedule: [activityTask("r", 2), activityTask("r", 3), activityTask("r", 4)] }],
    ["too-large", { events: [big(10), big(10), big(10)], run: { state: "x" } }],
    [
      "too-large",
      {
        schedule: [activityTask("r", 2, { input: "x".repeat(12), details: "x".repeat(12) })],
        close: { status: "failed", output: "xxx", failure: "xxxx" },
      },
    ],
    ["too-large", { events: [big(12), big(12)], next: { do: "block", reason: "x".repeat(7), until: null } }],
  ] as const)("answers %s", (code, fields) => {
    expect(validate.checkCommit(workflowCommit(claim, fields), limits)).toBe(code);
  });
});
