import type { ClaimedWorkflowTask, NewEvent, WorkflowCommit } from "@perdure/core/storage";
import type { Random } from "../random.ts";
import { event } from "./event.ts";

const COMPLETED: NewEvent = event({ type: "WORKFLOW_COMPLETED", command: null, data: '{"output":"done"}' });

/** One turn from what the claim brought: one event, all messages acknowledged, parked without a time. */
export function turn(
  random: Random,
  task: ClaimedWorkflowTask,
  overrides: Partial<WorkflowCommit> = {},
): WorkflowCommit {
  return {
    kind: "workflow",
    claim: task.claim,
    commitId: random.text(22),
    expectedSeq: task.lastSeq,
    events: [event()],
    ackInbox: task.inboxAcked + task.messages.length,
    next: { do: "park", wakeAt: null },
    ...overrides,
  };
}

/** Records the end and keeps the claim. */
export function closingTurn(
  random: Random,
  task: ClaimedWorkflowTask,
  overrides?: Partial<WorkflowCommit>,
): WorkflowCommit {
  return turn(random, task, {
    events: [COMPLETED],
    close: { status: "completed", output: '"done"' },
    next: { do: "hold" },
    ...overrides,
  });
}

/** Records the end and is done. */
export function finalTurn(
  random: Random,
  task: ClaimedWorkflowTask,
  overrides?: Partial<WorkflowCommit>,
): WorkflowCommit {
  return closingTurn(random, task, { next: { do: "done" }, ...overrides });
}
