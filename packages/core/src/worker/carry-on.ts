import { isPerdureError } from "../errors/index.ts";
import type { ClaimedTask, ClaimedWorkflowTask } from "../storage/task.ts";
import { blockUnreadable } from "./block-run.ts";
import { copyHistory } from "./copy-history.ts";
import type { WorkerEnvironment } from "./environment.ts";
import { handBack } from "./hand-back.ts";
import { HeldActivity } from "./held-activity.ts";
import { HeldRun } from "./held-run.ts";
import type { Release } from "./release.ts";
import type { Taken } from "./taken.ts";
import { takeWithoutCode } from "./without-code.ts";

/** Carries a claimed task on until it has left this worker's hands. A worker that drains hands it back. */
export function carryOn(environment: WorkerEnvironment, taken: Taken, isDraining: () => boolean): Promise<Release> {
  const { task, lease } = taken;
  if (isDraining()) return unlessLost(taken, handBack(environment, task));
  if (task.kind === "workflow") return carryOnRun(environment, taken as Taken<ClaimedWorkflowTask>, isDraining);
  const held = new HeldActivity(environment, task, lease);
  taken.held = held;
  return held.drive();
}

async function carryOnRun(
  environment: WorkerEnvironment,
  taken: Taken<ClaimedWorkflowTask>,
  isDraining: () => boolean,
): Promise<Release> {
  const hasHistory = taken.task.events !== null || environment.cache.has(taken.task.claim.taskId);
  let task = hasHistory ? taken.task : await readHistory(environment, taken.task);
  const withoutCode = takeWithoutCode(environment, task, taken.now);
  if (withoutCode !== null) return unlessLost(taken, withoutCode);
  const copying = copyHistory(environment, task, taken.lease);
  if (copying !== null) {
    const copied = await unlessLost(taken, copying);
    if ("to" in copied) return copied;
    task = copied;
  }
  const held = new HeldRun(environment, task, taken.lease);
  taken.held = held;
  if (isDraining()) held.drain(false);
  return held.drive();
}

/** Waits for what is written for a task that nothing holds yet, no longer than its lease can be proven: it may never be answered. */
function unlessLost<T>(taken: Taken, writing: Promise<T | Release>): Promise<T | Release> {
  return new Promise((resolve, reject) => {
    taken.lose = () => resolve({ to: "lost" });
    writing.then(resolve, reject);
  });
}

/** Reads the events of a run that is neither in memory nor short enough to come with its claim. */
async function readHistory({ access }: WorkerEnvironment, task: ClaimedWorkflowTask): Promise<ClaimedWorkflowTask> {
  const { runId, incarnation, baseSeq } = task.run;
  return { ...task, events: await access.readAll({ runId, incarnation, after: baseSeq }) };
}

/** Says why a task could not be carried on. A run whose history cannot be read is blocked; all else comes back by itself. */
export async function giveUp(environment: WorkerEnvironment, task: ClaimedTask, error: unknown): Promise<void> {
  if (task.kind === "workflow" && isPerdureError(error, "corrupt")) {
    await blockUnreadable(environment, task, error).catch(() => {});
    return;
  }
  const what = task.kind === "workflow" ? "run" : "remote activity";
  environment.logger.error(`A ${what} could not be carried on; it is tried again when its lease ends.`, {
    runId: task.claim.runId,
    workflow: task.kind === "workflow" ? task.run.workflow : task.workflow,
    ...(task.kind === "activity" && { activity: task.task.activity }),
    error,
  });
}
