import type { NewRun } from "@perdure/core/storage";
import type { Random } from "../random.ts";

/** A run of workflow `order` on queue `main` that is ready now. */
export function newRun(random: Random, overrides: Partial<NewRun> = {}): NewRun {
  return {
    runId: `run-${random.text(10)}`,
    incarnation: random.text(22),
    workflow: "order",
    version: null,
    queue: "main",
    priority: 0,
    startHash: random.text(22),
    parent: null,
    parentClose: null,
    input: '{"orderId":"o-1"}',
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: { type: "WORKFLOW_STARTED", command: null, at: 1_000, data: '{"workflow":"order"}' },
    ...overrides,
  };
}
