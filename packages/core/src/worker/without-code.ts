import { endWithoutCode } from "../batch/end-run.ts";
import { sealData } from "../codec/envelope.ts";
import { timedOut, type Ending } from "../engine/ending.ts";
import { readMessage } from "../engine/inbox-message.ts";
import type { Millis } from "../model/ids.ts";
import type { NewEvent } from "../storage/event.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import { blockPoisoned, isPoisoned } from "./block-run.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Release } from "./release.ts";

/**
 * Deals with a claimed task that needs no code: its run is closed already, overdue, terminated, cancelled before its first turn,
 * poisoned, or woken by a message before its start. Answers `null` for one that does. The task comes with its events unless the
 * run is in memory.
 */
export async function takeWithoutCode(environment: WorkerEnvironment, task: ClaimedWorkflowTask, now: Millis): Promise<Release | null> {
  const { access, codec } = environment;
  const ending = endingOf(environment, task, now);
  if (ending !== null || task.closed) {
    return { to: (await endWithoutCode(access, codec, task, ending)) ? "done" : "lost" };
  }
  if (isPoisoned(environment, task)) return blockPoisoned(environment, task);
  const startAt = startOf(task);
  return startAt > now && task.messages.length > 0 ? waitForStart(environment, task, startAt) : null;
}

function endingOf({ codec }: WorkerEnvironment, task: ClaimedWorkflowTask, now: Millis): Ending | null {
  if (task.closed) return null;
  const { deadlineAt, baseSeq } = task.run;
  if (task.onlyTimeOut || (deadlineAt !== null && deadlineAt <= now)) return timedOut(codec);
  const isFirstTurn = task.lastSeq === baseSeq + 1 || startOf(task) > now;
  for (const { data } of task.messages) {
    const message = readMessage(codec, data);
    if (message.kind === "terminate") return { status: "cancelled", reason: message.reason, terminated: true };
    if (message.kind === "cancel" && isFirstTurn) return { status: "cancelled", reason: message.reason, terminated: false };
  }
  return null;
}

/** When the run may start; 0 for one that is in memory. */
function startOf({ events }: ClaimedWorkflowTask): Millis {
  return events?.[0]?.at ?? 0;
}

/** A message came before the run may start: it is recorded, the code sees it when its time has come. */
async function waitForStart({ access, codec, runtime }: WorkerEnvironment, task: ClaimedWorkflowTask, startAt: Millis): Promise<Release> {
  const { claim, lastSeq, inboxAcked, messages } = task;
  const events = messages.flatMap(({ data, dedupeId: id }): NewEvent[] => {
    const message = readMessage(codec, data);
    if (message.kind !== "signal") return [];
    const payload = codec.encode(message.payload);
    return [{ type: "SIGNAL_RECEIVED", command: null, at: startAt, data: sealData(codec, { signal: message.signal, id }, { payload }) }];
  });
  const result = await access.commit({
    kind: "workflow",
    claim,
    commitId: runtime.id(),
    expectedSeq: lastSeq,
    events,
    ackInbox: messages.at(-1)?.no ?? inboxAcked,
    next: { do: "park", wakeAt: startAt },
  });
  return result.status === "ok" ? { to: "parked", wakeAt: startAt } : { to: "lost" };
}
