import type { Codec } from "../codec/codec.ts";
import { activityCompleted, activityExhausted } from "../engine/activity-events.ts";
import { childCompleted, childFailed, inheritedChildClosed } from "../engine/child-events.ts";
import type { Execution } from "../engine/execution.ts";
import type { InboxMessage } from "../engine/inbox-message.ts";
import { CancelledError } from "../errors/index.ts";
import { toFailure } from "../model/to-failure.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** Turns a message into an event, or drops it because its command has an outcome already. */
export async function receiveMessage(
  environment: WorkerEnvironment,
  execution: Execution,
  content: InboxMessage,
  dedupeId: string,
): Promise<void> {
  const { codec } = environment;
  switch (content.kind) {
    case "signal": {
      const payload = codec.encode(content.payload);
      return execution.signalReceived(content.signal, content.payload, { payload }, dedupeId);
    }
    case "cancel":
      return execution.cancelReceived(content.reason);
    case "terminate":
      return execution.endBy({ status: "cancelled", reason: content.reason, terminated: true });
    case "activity-closed":
      return activityClosed(codec, execution, content);
    case "child-closed":
      return childClosed(environment, execution, content);
  }
}

/** Of an activity that another worker executed. One that was cancelled meanwhile has an outcome already. */
async function activityClosed(
  codec: Codec,
  execution: Execution,
  { seq, attempt, output, failure, cached }: Extract<InboxMessage, { kind: "activity-closed" }>,
): Promise<void> {
  const activity = execution.open.activityOfTask(seq);
  if (activity === undefined) return;
  activity.attempt = attempt;
  if (failure !== undefined) return activityExhausted(execution, activity.command, failure);
  return activityCompleted(execution, activity.command, codec.encode(output), cached);
}

async function childClosed(
  { access }: WorkerEnvironment,
  execution: Execution,
  message: Extract<InboxMessage, { kind: "child-closed" }>,
): Promise<void> {
  for (const { command, seq, runId } of execution.open.children.values()) {
    if (seq !== message.seq) continue;
    if (message.status !== "completed") {
      return childFailed(execution, command, message.failure ?? toFailure(new CancelledError()));
    }
    const child = await access.storage.getRun(runId);
    return childCompleted(execution, command, child!.output!);
  }
  const failure = message.status === "completed" ? null : (message.failure ?? toFailure(new CancelledError()));
  inheritedChildClosed(execution, message.seq, failure);
}
