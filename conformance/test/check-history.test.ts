import type { WorkflowEvent } from "@perdure/core";
import type { Run } from "@perdure/core/storage";
import { expect, test } from "vitest";
import { checkHistory } from "../src/crash/check-history.ts";

type Shape = readonly [type: string, command?: number];

function judge(shapes: readonly Shape[], row: Partial<Run> = {}): void {
  const history = shapes.map(([type, command = null], index) => ({ seq: index + 1, type, command, at: 1, data: {} }));
  const run = { runId: "run-1", status: "completed", lastSeq: history.length, task: null, ...row } as Run;
  checkHistory({ run, history: history as unknown as readonly WorkflowEvent[] });
}

const START: Shape = ["WORKFLOW_STARTED"];
const END: Shape = ["WORKFLOW_COMPLETED"];

test.each<[what: string, shapes: readonly Shape[]]>([
  [
    "an activity",
    [START, ["ACTIVITY_SCHEDULED", 1], ["SIGNAL_RECEIVED"], ["ACTIVITY_RETRYING", 1], ["ACTIVITY_COMPLETED", 1], END],
  ],
  [
    "a child beside a timer",
    [
      START,
      ["CHILD_SCHEDULED", 1],
      ["TIMER_STARTED", 2],
      ["CHILD_STARTED", 1],
      ["TIMER_FIRED", 2],
      ["CHILD_FAILED", 1],
      END,
    ],
  ],
  [
    "a command of the same number in the next generation",
    [
      START,
      ["ACTIVITY_COMPLETED", 1],
      ["ACTIVITY_SCHEDULED", 2],
      ["WORKFLOW_CONTINUED_AS_NEW"],
      ["CHILD_COMPLETED"],
      ["TIMER_STARTED", 1],
      END,
    ],
  ],
])("%s passes", (_what, shapes) => {
  expect(() => judge(shapes)).not.toThrow();
});

test.each<[fault: string, told: string, shapes: readonly Shape[], row?: Partial<Run>]>([
  ["no start", "starts with its only WORKFLOW_STARTED", [["SIGNAL_RECEIVED"], END]],
  ["two starts", "starts with its only WORKFLOW_STARTED", [START, START, END]],
  [
    "two outcomes",
    "may follow ACTIVITY_COMPLETED in command 1",
    [START, ["ACTIVITY_COMPLETED", 1], ["ACTIVITY_FAILED", 1], END],
  ],
  [
    "a timer fired twice",
    "may follow TIMER_FIRED",
    [START, ["TIMER_STARTED", 1], ["TIMER_FIRED", 1], ["TIMER_FIRED", 1], END],
  ],
  ["an outcome of nothing", "may follow nothing in command 1", [START, ["TIMER_FIRED", 1], END]],
  ["an activity without an outcome", 'command 1 of run "run-1" has an outcome', [START, ["ACTIVITY_RETRYING", 1], END]],
  [
    "two outcomes in a later generation",
    "may follow ACTIVITY_COMPLETED in command 1",
    [START, ["WORKFLOW_CONTINUED_AS_NEW"], ["ACTIVITY_COMPLETED", 1], ["ACTIVITY_COMPLETED", 1], END],
  ],
  ["no end", "one terminal event, not 0", [START]],
  ["two ends", "one terminal event, not 2", [START, END, ["WORKFLOW_FAILED"]]],
  ["something after the end", "nothing follows the terminal event", [START, END, ["SIGNAL_RECEIVED"]]],
  ["another status", "is the fold of its history", [START, END], { status: "failed" }],
  ["another head", "knows its head", [START, END], { lastSeq: 3 }],
])("%s is seen", (_fault, told, shapes, row) => {
  expect(() => judge(shapes, row)).toThrow(told);
});

test("a gap is seen (I1)", () => {
  const history = [
    { seq: 1, type: "WORKFLOW_STARTED", command: null, at: 1, data: {} },
    { seq: 3, type: "WORKFLOW_COMPLETED", command: null, at: 1, data: {} },
  ] as unknown as readonly WorkflowEvent[];
  const run = { runId: "run-1", status: "completed", lastSeq: 3, task: null } as Run;
  expect(() => checkHistory({ run, history })).toThrow("is dense (I1)");
});
