import type { WorkflowEvent } from "@perdure/core";
import type { Run } from "@perdure/core/storage";
import { expect, test } from "vitest";
import { checkLedger, slowWorkers } from "../src/crash/check-ledger.ts";
import type { LedgerEntry } from "../src/crash/ledger.ts";
import type { RecordedRun } from "../src/crash/recorded-run.ts";

const run = "run-1";

function claimed(by: string, epoch: number, now: number, head = 1, commit: string | null = null): LedgerEntry {
  return { what: "claimed", by, run, epoch, head, commit, now, until: now + 400, clockOffMs: 0 };
}

function began(by: string, execution: string, attempt = 1): LedgerEntry {
  return { what: "began", by, pid: 1, run, activity: "step", key: "i-0-1", attempt, execution };
}

function acked(
  by: string,
  epoch: number,
  after: number,
  events: readonly string[],
  next: "hold" | "park" | "done",
): LedgerEntry {
  return { what: "acked", by, run, epoch, commit: `after ${after}`, after, events, next };
}

const OUTCOME = acked("w1", 1, 1, ["ACTIVITY_COMPLETED/1"], "hold");
const END = acked("w1", 1, 2, ["WORKFLOW_COMPLETED"], "done");

/** The run, as the storage has it: one activity, whose result comes from execution `from`. */
function recorded(from = "w1.1"): RecordedRun {
  const at = 1;
  const history: readonly WorkflowEvent[] = [
    { seq: 1, type: "WORKFLOW_STARTED", command: null, at, data: { workflow: "w" } },
    {
      seq: 2,
      type: "ACTIVITY_COMPLETED",
      command: 1,
      at,
      data: { activity: "step", attempt: 1, output: { execution: from } },
    },
    { seq: 3, type: "WORKFLOW_COMPLETED", command: null, at, data: { output: null } },
  ];
  return { run: { runId: run } as Run, history };
}

function judge(entries: readonly LedgerEntry[], killed: readonly string[] = [], record = recorded()): unknown {
  return checkLedger(entries, [record], { killed: new Set(killed), slow: slowWorkers(entries) });
}

test("what happened as it should passes", () => {
  expect(judge([claimed("w1", 1, 0), began("w1", "w1.1"), OUTCOME, END])).toEqual({
    executions: 1,
    afterKill: 0,
    afterLoss: 0,
    resumed: 0,
  });
});

test("a kill, or a stall, excuses one repetition of what the worker was executing (I13)", () => {
  const entries = [
    claimed("w0", 1, 0),
    began("w0", "w0.1"),
    claimed("w1", 2, 400),
    began("w1", "w1.1"),
    acked("w1", 2, 1, ["ACTIVITY_COMPLETED/1"], "hold"),
  ];
  expect(judge(entries, ["w0"])).toEqual({ executions: 2, afterKill: 1, afterLoss: 0, resumed: 0 });
  expect(judge([{ what: "stalled", by: "w0", run: null, ms: 500 }, ...entries])).toEqual({
    executions: 2,
    afterKill: 0,
    afterLoss: 1,
    resumed: 0,
  });
  expect(() => judge(entries)).toThrow("was not repeated without a cause (I13)");
});

test("an execution that nobody took over is not excused by having been dropped (I13)", () => {
  const entries = [claimed("w1", 1, 0), began("w1", "w1.0"), began("w1", "w1.1"), OUTCOME];
  expect(() => judge(entries)).toThrow("happened once under epoch 1 (I13)");
  expect(() => judge(entries, ["w1"])).toThrow("happened once under epoch 1 (I13)");
});

test("an owner that gives a run up while it executes something of it is seen (I13)", () => {
  const entries = [
    claimed("w1", 1, 0),
    began("w1", "w1.0"),
    acked("w1", 1, 1, [], "park"),
    claimed("w1", 2, 5),
    began("w1", "w1.1"),
    acked("w1", 2, 1, ["ACTIVITY_COMPLETED/1"], "hold"),
  ];
  expect(() => judge(entries)).toThrow("was not forgotten by its owner");
});

test("what began after its outcome was acknowledged is not excused by a kill (I13)", () => {
  const entries = [claimed("w1", 1, 0), began("w1", "w1.1"), OUTCOME, claimed("w2", 2, 400), began("w2", "w2.1")];
  expect(() => judge(entries, ["w1", "w2"])).toThrow("was followed by another owner's (I13)");
});

test("an execution by somebody who does not own the run is seen (I6)", () => {
  expect(() => judge([claimed("w1", 1, 0), began("w1", "w1.1"), OUTCOME, began("w0", "w0.1")])).toThrow(
    "by an owner of the run (I6)",
  );
});

test("a recorded result must come from an execution of that attempt (I12)", () => {
  expect(() => judge([claimed("w1", 1, 0), OUTCOME])).toThrow("comes from an execution (I12)");
  expect(() => judge([claimed("w1", 1, 0, 2), began("w1", "w1.1", 2)])).toThrow("is its own (I12)");
});

test("an execution that history knows nothing of is seen (I12)", () => {
  expect(() => judge([claimed("w1", 1, 0), began("w1", "w1.1"), OUTCOME, began("w1", "w1.2", 2)])).toThrow(
    "is known to its history (I12)",
  );
});

test("a second attempt that begins before the failure of the first is durable is seen (I13)", () => {
  const at = 1;
  const [started, completed, ended] = recorded("w1.2").history;
  const failure = { name: "Error", message: "w1.1" };
  const retrying = {
    type: "ACTIVITY_RETRYING",
    command: 1,
    at,
    data: { activity: "step", attempt: 1, dueAt: 1, failure },
  } as const;
  const second = {
    ...completed,
    seq: 3,
    data: { activity: "step", attempt: 2, output: { execution: "w1.2" } },
  } as WorkflowEvent;
  const record = {
    run: { runId: run } as Run,
    history: [started!, { seq: 2, ...retrying } as WorkflowEvent, second, { ...ended!, seq: 4 }],
  };
  const retry = acked("w1", 1, 1, ["ACTIVITY_RETRYING/1"], "hold");
  const first = [claimed("w1", 1, 0), began("w1", "w1.1")];
  expect(() => judge([...first, retry, began("w1", "w1.2", 2)], [], record)).not.toThrow();
  expect(() => judge([...first, claimed("w1", 2, 9, 2), began("w1", "w1.2", 2)], [], record)).not.toThrow();
  expect(() => judge([...first, began("w1", "w1.2", 2), retry], [], record)).toThrow(
    "before event 2, which led to it, is durable",
  );
});

test("what was acknowledged and is not there is seen (I4)", () => {
  const lost = acked("w1", 1, 2, ["STATE_SET/2"], "hold");
  expect(() => judge([claimed("w1", 1, 0), began("w1", "w1.1"), OUTCOME, lost])).toThrow("(I4)");
});

test("two commits for one place are seen (I7)", () => {
  const twice = acked("w2", 2, 1, ["ACTIVITY_COMPLETED/1"], "hold");
  expect(() => judge([claimed("w1", 1, 0), began("w1", "w1.1"), OUTCOME, claimed("w2", 2, 400), twice])).toThrow(
    "(I7)",
  );
});

test("a commit under an epoch that has been replaced is seen (I6)", () => {
  const entries = [
    claimed("w1", 1, 0),
    claimed("w2", 2, 400),
    began("w1", "w1.1"),
    acked("w2", 2, 1, ["ACTIVITY_COMPLETED/1"], "hold"),
    END,
  ];
  expect(() => judge(entries)).toThrow("was accepted under epoch 1 after epoch 2 (I6)");
});

test("a live owner that is robbed is seen (I8)", () => {
  const entries = [
    claimed("w0", 1, 0),
    { what: "renewed", by: "w0", run, epoch: 1, until: 533 } as const,
    claimed("w1", 2, 450),
    began("w1", "w1.1"),
    acked("w1", 2, 1, ["ACTIVITY_COMPLETED/1"], "hold"),
  ];
  expect(() => judge(entries)).toThrow("83 ms before the lease of w0 ends (I8)");
  expect(() => judge(entries, ["w0"])).toThrow("83 ms before the lease of w0 ends (I8)");
});

test("an owner may have given the run up by a commit whose answer it never heard (I8)", () => {
  const next = [began("w1", "w1.1"), acked("w1", 2, 1, ["ACTIVITY_COMPLETED/1"], "hold")];
  expect(() => judge([claimed("w0", 1, 0), claimed("w1", 2, 50, 1, "unheard"), ...next])).not.toThrow();
  const heard = acked("w0", 1, 1, [], "hold");
  expect(() => judge([claimed("w0", 1, 0), heard, claimed("w1", 2, 50, 1, "after 1"), ...next])).toThrow(
    "350 ms before the lease of w0 ends (I8)",
  );
});

test("a run that nobody started is seen", () => {
  expect(() => checkLedger([claimed("w1", 1, 0)], [], { killed: new Set(), slow: new Set() })).toThrow(
    "was started by somebody",
  );
});
