import { endWithoutCode } from "../batch/end-run.ts";
import { firstThatFit } from "../batch/first-that-fit.ts";
import type { Codec } from "../codec/codec.ts";
import { sealData } from "../codec/envelope.ts";
import { timedOut, type Ending } from "../engine/ending.ts";
import { forkedFrom } from "../engine/forked-prefix.ts";
import { readMessage } from "../engine/inbox-message.ts";
import { StorageError } from "../errors/index.ts";
import type { Millis } from "../model/ids.ts";
import type { NewEvent } from "../storage/event.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import { blockPoisoned, isPoisoned } from "./block-run.ts";
import type { WorkerEnvironment } from "./environment.ts";
import { logFailedRun } from "./log-failures.ts";
import type { Release } from "./release.ts";

/**
 * Deals with a claimed task that needs no code: its run is closed already, overdue, terminated, cancelled before its first turn,
 * poisoned, or woken by a message before its start. Answers `null` for one that does. The task comes with its events unless the
 * run is in memory.
 */
export function takeWithoutCode(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  now: Millis,
): Promise<Release> | null {
  const ending = endingOf(environment, task, now);
  if (ending !== null || task.closed) return end(environment, task, ending);
  if (isPoisoned(environment, task)) return blockPoisoned(environment, task);
  const startAt = startOf(task);
  return startAt !== null && startAt > now && task.messages.length > 0
    ? waitForStart(environment, task, startAt)
    : null;
}

async function end(environment: WorkerEnvironment, task: ClaimedWorkflowTask, ending: Ending | null): Promise<Release> {
  const { access, codec, logger } = environment;
  const done = await endWithoutCode(access, codec, task, ending);
  if (done && ending?.status === "failed") logFailedRun(logger, codec, task.run, ending.failure);
  return { to: done ? "done" : "lost" };
}

function endingOf({ codec }: WorkerEnvironment, task: ClaimedWorkflowTask, now: Millis): Ending | null {
  if (task.closed) return null;
  const { deadlineAt } = task.run;
  if (task.onlyTimeOut || (deadlineAt !== null && deadlineAt <= now)) return timedOut(codec);
  const startAt = startOf(task);
  // A worker that died of the first turn may have run some of its code.
  const isFirstTurn = startAt !== null && (task.deliveries === 1 || startAt > now);
  for (const { data } of task.messages) {
    const message = readMessage(codec, data);
    if (message.kind === "terminate") return { status: "cancelled", reason: message.reason, terminated: true };
    if (message.kind === "cancel" && isFirstTurn)
      return { status: "cancelled", reason: message.reason, terminated: false };
  }
  return null;
}

/** When the run may start; `null` for one whose code has begun, as that of a fork has elsewhere. */
function startOf({ events }: ClaimedWorkflowTask): Millis | null {
  if (events === null) return null;
  const [first, ...rest] = events;
  if (first?.type !== "WORKFLOW_STARTED" || forkedFrom(first) !== null) return null;
  return rest.every(({ type }) => type === "SIGNAL_RECEIVED") ? first.at : null;
}

/** A message came before the run may start: it is recorded, the code sees it when its time has come. */
async function waitForStart(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  startAt: Millis,
): Promise<Release> {
  const { access, codec, runtime } = environment;
  const { claim, lastSeq, inboxAcked, messages } = task;
  const signals = messages.map((message) => signalEvent(codec, message, startAt));
  // The rest, if there is one, makes the task ready again at once.
  const count = firstThatFit(signals, access.storage.info.limits);
  const result = await access.commit({
    kind: "workflow",
    claim,
    commitId: runtime.id(),
    expectedSeq: lastSeq,
    events: signals.slice(0, count),
    ackInbox: messages[count - 1]?.no ?? inboxAcked,
    next: { do: "park", wakeAt: startAt },
  });
  return result.status === "ok"
    ? { to: "parked", wakeAt: result.inboxLast > inboxAcked + count ? result.now : startAt }
    : { to: "lost" };
}

/** Nothing but signals can come to a run that has not begun and is not ended by what came. */
function signalEvent(codec: Codec, { data, dedupeId: id }: StoredMessage, at: Millis): NewEvent {
  const message = readMessage(codec, data);
  if (message.kind !== "signal") {
    throw new StorageError(
      "corrupt",
      `A run that has not begun has a message of kind ${message.kind} in its inbox. Restore it from a backup.`,
    );
  }
  const payload = codec.encode(message.payload);
  return {
    type: "SIGNAL_RECEIVED",
    command: null,
    at,
    data: sealData(codec, { signal: message.signal, id }, { payload }),
  };
}
