import { blockDelayMs, readBlockReason, writeBlockReason, type BlockReason } from "../engine/block-reason.ts";
import type { PerdureError } from "../errors/index.ts";
import type { RunHeader } from "../model/run.ts";
import type { NextStep } from "../storage/commit.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Release } from "./release.ts";

/** Parks a run that this code cannot carry on until another worker, or a deploy, may be able to. */
export function blockStep(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  why: Pick<BlockReason, "code" | "message">,
): Extract<NextStep, { do: "block" }> {
  const { code } = why;
  const { access, logger } = environment;
  const { blocked, deliveries, run } = task;
  const message = `${ofRun(run, why.message)}${versionsOf(environment, run, code)}`;
  const before = readBlockReason(blocked);
  const tries = before?.code === code ? before.tries + 1 : 1;
  logger.warn(message, { workflow: run.workflow, runId: run.runId, code });
  const now = access.clock.latest();
  const until = now + blockDelayMs(tries);
  return {
    do: "block",
    reason: writeBlockReason({ code, message, tries, deliveries }),
    until: run.deadlineAt === null || run.deadlineAt <= now ? until : Math.min(until, run.deadlineAt),
  };
}

/** What the codec or the storage says names no run. */
function ofRun({ runId, workflow }: RunHeader, message: string): string {
  return message.includes(`"${runId}"`) ? message : `Run "${runId}" of workflow "${workflow}": ${message}`;
}

/** Where code and history disagree, people ask first which code it was. */
function versionsOf({ registry }: WorkerEnvironment, run: RunHeader, code: BlockReason["code"]): string {
  const version = registry.workflow(run.workflow)?.version ?? null;
  if (version === run.version || (code !== "determinism" && code !== "non-durable-await")) return "";
  const named = (text: string | null): string => (text === null ? "no version" : `version "${text}"`);
  return ` The run was started with ${named(run.version)} of the workflow, this worker has ${named(version)}.`;
}

/** Blocks a run whose history cannot be read, until a worker with the right codec may have it. */
export function blockUnreadable(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  error: PerdureError,
): Promise<Release> {
  const { message } = error;
  return block(environment, task, blockStep(environment, task, { code: "unreadable", message }));
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
  environment.logger.error(message, { workflow: run.workflow, runId: run.runId, code: "poisoned" });
  const reason = writeBlockReason({ code: "poisoned", message, tries: 1, deliveries });
  return block(environment, task, { do: "block", reason, until: run.deadlineAt });
}

async function block(
  { access, runtime }: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  next: Extract<NextStep, { do: "block" }>,
): Promise<Release> {
  const { claim, lastSeq, inboxAcked } = task;
  const result = await access.commit({
    kind: "workflow",
    claim,
    commitId: runtime.id(),
    expectedSeq: lastSeq,
    events: [],
    ackInbox: inboxAcked,
    next,
  });
  return result.status === "ok" ? { to: "blocked", wakeAt: next.until } : { to: "lost" };
}
