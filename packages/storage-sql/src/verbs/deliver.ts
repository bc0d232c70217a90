import type { DeliverResult, NewMessage } from "@perdure/core/storage";
import { isRemembered, storeMessage } from "../inbox.ts";
import { query } from "../query.ts";
import { row, type Steps, write } from "../steps.ts";
import { findTask, lookUpRun, type TaskRow } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";

/** `deliver`, for one message: it is stored and the task woken in one transaction, so no wake-up is lost (I11). */
export function* deliver(turn: Turn, message: NewMessage): Steps<DeliverResult> {
  const recipient = yield* findRecipient(turn, message);
  if (recipient === undefined) return { status: "unknown" };
  const { run, task } = recipient;
  if (task === undefined || task.closed === 1) {
    return { status: (yield* isRemembered(run, message.dedupeId)) ? "duplicate" : "closed" };
  }
  if (!(yield* storeMessage(turn, task, message))) return { status: "duplicate" };
  yield* announce(turn, task, message.runId, 1);
  return { status: "accepted" };
}

/** Counts messages that were stored, and wakes whoever is to take them. */
export function* announce(turn: Turn, task: TaskRow, runId: string, count: number): Steps<void> {
  const { run } = task;
  // A held task stays with its holder, a blocked one stays blocked; any other is ready now.
  const isWaiting = task.instance === null && task.blocked === null;
  const visibleAt = isWaiting ? Math.min(task.visible_at ?? turn.now, turn.now) : task.visible_at;
  const inboxLast = task.inbox_last + count;
  if (visibleAt === task.visible_at) yield* write(countMessage, { run, inboxLast });
  else yield* write(countAndWake, { run, inboxLast, visibleAt });
  if (task.instance !== null) wake(turn, "inbox", runId);
  if (visibleAt !== null && visibleAt <= turn.now) {
    wake(turn, "queue", (yield* turn.lanes.byNo(task.lane)).queue);
  }
}

interface Recipient {
  readonly run: number;
  /** Missing when the run is done. */
  readonly task: TaskRow | undefined;
}

export function* findRecipient(turn: Turn, { runId, incarnation }: NewMessage): Steps<Recipient | undefined> {
  const known = turn.numbers.get(runId);
  if (known !== undefined && (incarnation ?? known.incarnation) === known.incarnation) {
    const task = yield* row(findTask, { run: known.no, seq: 0 });
    if (task !== undefined) return { run: known.no, task };
  }
  const run = yield* lookUpRun(turn, runId);
  if (run === undefined || (incarnation ?? run.incarnation) !== run.incarnation) return undefined;
  return { run: run.no, task: yield* turn.locked(row(findTask, { run: run.no, seq: 0 })) };
}

const countMessage = query((db, args: { run: number; inboxLast: number }) =>
  db.updateTable("perdure_tasks").set({ inbox_last: args.inboxLast }).where("run", "=", args.run).where("seq", "=", 0),
);

const countAndWake = query((db, args: { run: number; inboxLast: number; visibleAt: number | null }) =>
  db
    .updateTable("perdure_tasks")
    .set({ inbox_last: args.inboxLast, visible_at: args.visibleAt })
    .where("run", "=", args.run)
    .where("seq", "=", 0),
);
