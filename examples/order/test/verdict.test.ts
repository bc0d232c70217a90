import type { WorkflowEvent } from "@perdure/core";
import { describe, expect, it } from "vitest";
import type { LedgerEntry } from "../src/ledger.ts";
import { type Evidence, judge } from "../src/verdict.ts";

const started: Partial<WorkflowEvent> = { type: "WORKFLOW_STARTED" };
const charged = { type: "ACTIVITY_COMPLETED", data: { activity: "charge" } };
const packing = { type: "ACTIVITY_SCHEDULED", data: { activity: "pack" } };
const packed = { type: "ACTIVITY_COMPLETED", data: { activity: "pack" } };
const completed = { type: "WORKFLOW_COMPLETED" };

const history = (...events: object[]): readonly WorkflowEvent[] => events as WorkflowEvent[];
const trace = (what: LedgerEntry["what"], activity: string): LedgerEntry => ({
  at: 0,
  what,
  runId: "o-1",
  activity,
  attempt: 1,
  idempotencyKey: activity,
  pid: 1,
});

const good: Evidence = {
  atKill: new Map([["o-1", history(started, charged, packing)]]),
  atEnd: new Map([["o-1", history(started, charged, packing, packed, completed)]]),
  ledgerAtKill: [trace("began", "charge"), trace("ended", "charge"), trace("began", "pack")],
  ledgerSince: [trace("began", "pack"), trace("ended", "pack")],
};

describe("judge", () => {
  it("accepts a run that repeated only what was under way", () => {
    expect(judge(good)).toBe("demo: ok — 1 runs completed, 1 worker killed, 0 completed activities repeated");
  });

  it("accepts the repetition of an activity that had ended before its result was in history", () => {
    const ledgerAtKill = [...good.ledgerAtKill, trace("began", "notify"), trace("ended", "notify")];
    const ledgerSince = [...good.ledgerSince, trace("began", "notify"), trace("ended", "notify")];
    expect(judge({ ...good, ledgerAtKill, ledgerSince })).toContain("demo: ok");
  });

  it("refuses the repetition of a completed activity", () => {
    const ledgerSince = [...good.ledgerSince, trace("began", "charge")];
    expect(() => judge({ ...good, ledgerSince })).toThrow("Completed activities were repeated: charge of o-1.");
  });

  it("refuses a run that did not complete", () => {
    const atEnd = new Map([...good.atEnd, ["o-2", history(started, { type: "WORKFLOW_FAILED" })] as const]);
    expect(() => judge({ ...good, atEnd })).toThrow("Run o-2 did not complete: its last event is WORKFLOW_FAILED.");
  });

  it("refuses a kill after which nothing had to be repeated", () => {
    const ledgerAtKill = [...good.ledgerAtKill, trace("ended", "pack")];
    const atKill = new Map([["o-1", history(started, charged, packing, packed)]]);
    expect(() => judge({ ...good, atKill, ledgerAtKill, ledgerSince: [] })).toThrow("The kill did not hit");
  });

  it("refuses a kill before anything had completed", () => {
    const atKill = new Map([["o-1", history(started, packing)]]);
    expect(() => judge({ ...good, atKill })).toThrow("The kill did not hit");
  });
});
