import { blockDelayMs, readBlockReason, writeBlockReason, type BlockReason } from "../engine/block-reason.ts";
import type { PerdureError } from "../errors/index.ts";
import type { NextStep } from "../storage/commit.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Release } from "./release.ts";

/** Parks a run that this code cannot carry on until a deploy may have mended it. */
export function blockStep(
  { access, logger }: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  why: Pick<BlockReason, "code" | "message">,
): NextStep {
  const { code, message } = why;
  const { deliveries, blocked, run } = task;
  const before = readBlockReason(blocked);
  const tries = before?.code === code ? before.tries + 1 : 1;
  logger.warn(message, { workflow: run.workflow, runId: run.runId, code });
  const until = access.clock.latest() + blockDelayMs(tries);
  return {
    do: "block",
    reason: writeBlockReason({ code, message, tries, deliveries }),
    until: run.deadlineAt === null ? until : Math.min(until, run.deadlineAt),
  };
}

/** Blocks a run whose history cannot be read. */
export function blockUnreadable(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  error: PerdureError,
): Promise<Release> {
  return block(environment, task, "unreadable", error.message);
}

/** The task was handed out again and again without a commit: whoever ran it died of it. */
export function isPoisoned(
  { maxDeliveries }: WorkerEnvironment,
  { deliveries, blocked }: ClaimedWorkflowTask,
): boolean {
  return deliveries - (readBlockReason(blocked)?.deliveries ?? 0) > maxDeliveries;
}

/** Blocks a run that is poisoned, until somebody looks at it. */
export function blockPoisoned(environment: WorkerEnvironment, task: ClaimedWorkflowTask): Promise<Release> {
  const { run, deliveries } = task;
  const message =
    `Run "${run.runId}" of workflow "${run.workflow}" was handed out ${deliveries - 1} times and its worker never came back: it kills or blocks the process that runs it. ` +
    "Mend its code, then call handle.unblock(), or terminate it.";
  return block(environment, task, "poisoned", message);
}

async function block(
  { access, logger, runtime }: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  code: BlockReason["code"],
  message: string,
): Promise<Release> {
  const { claim, run, deliveries, lastSeq, inboxAcked } = task;
  logger.error(message, { workflow: run.workflow, runId: run.runId, code });
  const result = await access.commit({
    kind: "workflow",
    claim,
    commitId: runtime.id(),
    expectedSeq: lastSeq,
    events: [],
    ackInbox: inboxAcked,
    next: { do: "block", reason: writeBlockReason({ code, message, tries: 1, deliveries }), until: run.deadlineAt },
  });
  return result.status === "ok" ? { to: "blocked", wakeAt: run.deadlineAt } : { to: "lost" };
}
