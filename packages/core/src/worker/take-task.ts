import { endWithoutCode } from "../batch/end-run.ts";
import { readBlockReason, writeBlockReason, type BlockReason } from "../engine/block-reason.ts";
import { timedOut, type Ending } from "../engine/ending.ts";
import { readMessage } from "../engine/inbox-message.ts";
import type { PerdureError } from "../errors/index.ts";
import type { Millis } from "../model/ids.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Release } from "./release.ts";

/**
 * Deals with a claimed task that needs no code: its run is closed already, overdue, terminated, cancelled before its first turn,
 * or poisoned. Answers `null` for one that does.
 */
export async function takeWithoutCode(environment: WorkerEnvironment, task: ClaimedWorkflowTask, now: Millis): Promise<Release | null> {
  const { access, codec } = environment;
  const ending = endingOf(environment, task, now);
  if (ending !== null || task.closed) {
    return { to: (await endWithoutCode(access, codec, task, ending)) ? "done" : "lost" };
  }
  if (isPoisoned(environment, task)) return blockPoisoned(environment, task);
  return null;
}

function endingOf({ codec }: WorkerEnvironment, task: ClaimedWorkflowTask, now: Millis): Ending | null {
  if (task.closed) return null;
  const { deadlineAt, baseSeq } = task.run;
  if (task.onlyTimeOut || (deadlineAt !== null && deadlineAt <= now)) return timedOut(codec);
  const isFirstTurn = task.lastSeq === baseSeq + 1;
  for (const { data } of task.messages) {
    const message = readMessage(codec, data);
    if (message.kind === "terminate") return { status: "cancelled", reason: message.reason, terminated: true };
    if (message.kind === "cancel" && isFirstTurn) return { status: "cancelled", reason: message.reason, terminated: false };
  }
  return null;
}

/** The task was handed out again and again without a commit: whoever ran it died of it. */
function isPoisoned({ maxDeliveries }: WorkerEnvironment, { deliveries, blocked }: ClaimedWorkflowTask): boolean {
  return deliveries - (readBlockReason(blocked)?.deliveries ?? 0) > maxDeliveries;
}

/** Blocks a run whose history cannot be read. */
export function blockUnreadable(environment: WorkerEnvironment, task: ClaimedWorkflowTask, error: PerdureError): Promise<Release> {
  return block(environment, task, "unreadable", error.message);
}

function blockPoisoned(environment: WorkerEnvironment, task: ClaimedWorkflowTask): Promise<Release> {
  const { run, deliveries } = task;
  const message =
    `Run "${run.runId}" of workflow "${run.workflow}" was handed out ${deliveries - 1} times and its worker never came back: it seems to kill the process that runs it. ` +
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
  const reason = writeBlockReason({ code, message, tries: 1, deliveries });
  const result = await access.commit({
    kind: "workflow",
    claim,
    commitId: runtime.id(),
    expectedSeq: lastSeq,
    events: [],
    ackInbox: inboxAcked,
    next: { do: "block", reason, until: run.deadlineAt },
  });
  return result.status === "ok" ? { to: "blocked", wakeAt: run.deadlineAt } : { to: "lost" };
}
