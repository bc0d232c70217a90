import type { Claim, ClaimRequest, NewEvent, NewRun, WorkflowCommit } from "@perdure/core/storage";

/** A run of workflow `order` on queue `main`. */
export function newRun(runId: string, changes: Partial<NewRun> = {}): NewRun {
  return {
    runId,
    incarnation: `${runId}-`.padEnd(16, "x"),
    workflow: "order",
    version: null,
    queue: "main",
    priority: 0,
    startHash: "hash",
    parent: null,
    parentClose: null,
    input: "{}",
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: event("WORKFLOW_STARTED"),
    ...changes,
  };
}

function event(type: string): NewEvent {
  return { type, command: null, at: 1000, data: "{}" };
}

/** A request for anything on queue `main`. */
export function anything(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    workerId: "worker",
    workerInstance: "worker-1",
    holding: [],
    queues: ["main"],
    kinds: ["workflow", "activity"],
    handlers: { workflows: ["order"], activities: ["charge"] },
    limit: 100,
    leaseMs: 60_000,
    inlineEvents: 16,
    overdue: true,
    ...changes,
  };
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
