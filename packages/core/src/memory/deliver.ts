import type { Millis } from "../model/ids.ts";
import type { Limits } from "../storage/info.ts";
import type { DeliverResult, NewMessage } from "../storage/message.ts";
import type { RunRecord, WorkflowTask } from "./records.ts";
import type { Namespace } from "./store.ts";

/** `deliver`: the message is stored and the task woken in one step, so that no wake-up is lost (I11). */
export function deliver(space: Namespace, message: NewMessage, limits: Limits, now: Millis): DeliverResult {
  const run = space.run(message.runId, message.incarnation);
  if (run === undefined) return { status: "unknown" };
  const { task, dedupe } = run;
  const { dedupeId, data, external } = message;
  const isClosed = task === null || run.status !== "open";
  if (!isClosed) forgetOld(run, limits, now);
  if (dedupe.has(dedupeId)) return { status: "duplicate" };
  if (isClosed) return { status: "closed" };

  task.inboxLast += 1;
  task.inbox.push({ no: task.inboxLast, at: now, dedupeId, data });
  dedupe.set(dedupeId, { external, ackedAt: null });
  wake(space, task, now);
  return { status: "accepted" };
}

/** A held task stays with its holder, a blocked one stays blocked; any other is ready now. */
function wake(space: Namespace, task: WorkflowTask, now: Millis): void {
  if (task.lease !== null) {
    space.hints.give("inbox", task.run.start.runId);
  } else if (task.blocked === null && (task.visibleAt === null || task.visibleAt > now)) {
    space.tasks.show(task, now);
  }
  if (task.visibleAt !== null && task.visibleAt <= now) space.hints.give("queue", task.queue);
}

/** Acknowledges messages: they leave the inbox, and their ids are remembered only if they came from outside. */
export function acknowledge(task: WorkflowTask, ackInbox: number, now: Millis): void {
  if (ackInbox === task.inboxAcked) return;
  for (const { dedupeId } of task.inbox.splice(0, ackInbox - task.inboxAcked)) {
    const { dedupe } = task.run;
    const remembered = dedupe.get(dedupeId);
    if (remembered?.external === true) remembered.ackedAt = now;
    else dedupe.delete(dedupeId);
  }
  task.inboxAcked = ackInbox;
}

/** Ids stand in the order of their acks, so the old ones are in front. */
function forgetOld({ dedupe }: RunRecord, { dedupeMs }: Limits, now: Millis): void {
  for (const [dedupeId, { ackedAt }] of dedupe) {
    if (ackedAt === null || now - ackedAt < dedupeMs) return;
    dedupe.delete(dedupeId);
  }
}
