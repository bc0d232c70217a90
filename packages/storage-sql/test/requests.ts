import type { Claim, ClaimRequest, NewActivityTask, NewEvent, NewRun, WorkflowCommit } from "@perdure/core/storage";
import { activityTaskId } from "@perdure/core/storage";
import * as port from "../../core/test/port.ts";

/** A run of workflow `order` on queue `main`. */
export function newRun(runId: string, changes: Partial<NewRun> = {}): NewRun {
  return port.newRun(runId, { incarnation: `${runId}-`.padEnd(16, "x"), queue: "main", ...changes });
}

function event(type: string): NewEvent {
  return { type, command: null, at: 1000, data: "{}" };
}

/** A request for anything on queue `main`. */
export function anything(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  const usual = { workerInstance: "worker-1", queues: ["main"], leaseMs: 60_000, overdue: true };
  return port.claimRequest({ ...usual, ...changes });
}

/** An activity `charge` that a claimed run asks for, on queue `main`. */
export function charge({ runId, incarnation }: Claim, seq: number): NewActivityTask {
  return port.activityTask(runId, seq, { taskId: activityTaskId(runId, incarnation, seq), queue: "main" });
}

/** A commit that adds one event after `expectedSeq` and holds. */
export function hold(claim: Claim, expectedSeq: number, changes: Partial<WorkflowCommit> = {}): WorkflowCommit {
  return {
    kind: "workflow",
    claim,
    commitId: `${claim.runId}-${expectedSeq}-${claim.epoch}`,
    expectedSeq,
    events: [event("SIDE_EFFECT_RECORDED")],
    ackInbox: 0,
    next: { do: "hold" },
    ...changes,
  };
}

/** A commit that ends the run. */
export function done(claim: Claim, expectedSeq: number): WorkflowCommit {
  return hold(claim, expectedSeq, {
    events: [event("WORKFLOW_COMPLETED")],
    close: { status: "completed", output: "42" },
    next: { do: "done" },
  });
}
