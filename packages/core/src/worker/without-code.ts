import { endWithoutCode } from "../batch/end-run.ts";
import { timedOut, type Ending } from "../engine/ending.ts";
import { readMessage } from "../engine/inbox-message.ts";
import type { Millis } from "../model/ids.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import { blockPoisoned, isPoisoned } from "./block-run.ts";
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
