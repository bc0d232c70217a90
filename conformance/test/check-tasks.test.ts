import type { WorkflowEvent } from "@perdure/core";
import type { Run } from "@perdure/core/storage";
import { expect, test } from "vitest";
import { checkTasks } from "../src/crash/check-tasks.ts";
import type { LedgerEntry } from "../src/crash/ledger.ts";

const run = "run-1";
const key = "i-0-1";

function took(by: string, attempt = 1, from = 0): LedgerEntry {
  return { what: "took", by, run, key, attempt, execution: `${by}.${attempt}`, from };
}

function saved(by: string, done: number): LedgerEntry {
  return { what: "saved", by, run, key, done };
}

/** A run whose one task was completed by this execution. */
function judge(entries: readonly LedgerEntry[], execution: string, killed: readonly string[] = []): unknown {
  const data = { activity: "remote", attempt: Number(execution.at(-1)), output: { execution } };
  const completed: WorkflowEvent = { seq: 3, type: "ACTIVITY_COMPLETED", command: 1, at: 1, data };
  const total = { executions: 0, afterKill: 0, afterLoss: 0, resumed: 0 };
  const record = { run: { runId: run } as Run, history: [completed] };
  checkTasks(record, entries, { killed: new Set(killed), slow: new Set() }, total);
  return total;
}

test("an execution, and the retry of one that failed, pass", () => {
  expect(judge([took("w1")], "w1.1")).toMatchObject({ executions: 1, afterKill: 0 });
  expect(judge([took("w1", 1), saved("w1", 2), took("w2", 2, 2)], "w2.2")).toMatchObject({ executions: 2, resumed: 1 });
});

test("a kill excuses one repetition of what the worker was executing (I13)", () => {
  const entries = [took("w1"), took("w2")];
  expect(judge(entries, "w2.1", ["w1"])).toMatchObject({ executions: 2, afterKill: 1 });
  expect(() => judge(entries, "w2.1")).toThrow("was not repeated without a cause (I13)");
});

test("a failed attempt that was executed twice needs a cause, too (I13)", () => {
  const entries = [took("w1"), took("w2"), took("w2", 2)];
  expect(judge(entries, "w2.2", ["w1"])).toMatchObject({ executions: 3, afterKill: 1 });
  expect(() => judge(entries, "w2.2")).toThrow("was not repeated without a cause (I13)");
});

test("a recorded result must come from an execution of its attempt (I12)", () => {
  expect(() => judge([], "w1.1")).toThrow("comes from an execution (I12)");
});

test("an acknowledged checkpoint that the next execution does not find is seen (I4)", () => {
  expect(() => judge([took("w1"), saved("w1", 2), took("w2", 1, 1)], "w2.1", ["w1"])).toThrow("(I4)");
});
