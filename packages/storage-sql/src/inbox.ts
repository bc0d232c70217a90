import type { Millis, NewMessage, StoredMessage } from "@perdure/core/storage";
import { query } from "./query.ts";
import { change, row, rows, type Steps, write } from "./steps.ts";
import type { TaskRow } from "./tasks.ts";
import type { Turn } from "./turn.ts";

/** How many remembered ids one ack looks at, to forget the oldest. */
const FORGET_AT_ONCE = 64;

/** The messages of a task after a number, in arrival order: those that it has, whatever has come since. */
export function* messagesAfter(
  { run, inbox_last: upTo }: Pick<TaskRow, "run" | "inbox_last">,
  acked: number,
): Steps<readonly StoredMessage[]> {
  return upTo > acked ? yield* rows(selectMessages, { run, acked, upTo }) : [];
}

/** The time of an answer with these messages: none is later, also when the server's clock was set back since it came. */
export function timeWith(now: Millis, messages: readonly StoredMessage[]): Millis {
  return messages.reduce((latest, { at }) => Math.max(latest, at), now);
}

/** Stores a message under the next number of the inbox. Answers false if its id is known: then nothing was written. */
export function* storeMessage(turn: Turn, task: TaskRow, { dedupeId, external, data }: NewMessage): Steps<boolean> {
  const no = task.inbox_last + 1;
  const inserted = yield* change(insertMessage, {
    run: task.run,
    no,
    dedupeId,
    external: external ? 1 : 0,
    at: turn.now,
    data,
  });
  return inserted > 0;
}

/** Takes acknowledged messages out of the inbox; the ids of external ones are remembered for `dedupeMs` at least. */
export function* acknowledge(turn: Turn, task: TaskRow, ackInbox: number): Steps<void> {
  if (ackInbox === task.inbox_acked) return;
  yield* rememberIds(turn, task, ackInbox);
  yield* forgetOld(task.run, turn.now - turn.limits.dedupeMs);
}

/** Takes all messages out of the inbox of a run that closes; the ids of external ones stay until the run is purged. */
export function* closeInbox(turn: Turn, task: TaskRow): Steps<void> {
  if (task.inbox_last > task.inbox_acked) yield* rememberIds(turn, task, task.inbox_last);
}

/** Whether a message with this id was accepted and is remembered. */
export function* isRemembered(run: number, dedupeId: string): Steps<boolean> {
  return (yield* row(findMessage, { run, dedupeId })) !== undefined;
}

function* rememberIds(turn: Turn, { run, inbox_acked: after }: TaskRow, upTo: number): Steps<void> {
  yield* write(deleteInternal, { run, after, upTo });
  yield* write(rememberExternal, { run, after, upTo, now: turn.now });
}

/** Removes all messages and remembered ids. */
export function* emptyInbox(run: number): Steps<void> {
  yield* write(deleteInbox, { run });
}

/** Ids were acknowledged in the order of their numbers, so the old ones are in front. */
function* forgetOld(run: number, before: Millis): Steps<void> {
  const oldest = yield* row(selectOldest, { run, limit: 1 });
  if (oldest?.acked_at == null || oldest.acked_at > before) return;
  let upTo = 0;
  for (const { no, acked_at } of yield* rows(selectOldest, { run, limit: FORGET_AT_ONCE })) {
    if (acked_at !== null && acked_at <= before) upTo = no;
  }
  yield* write(deleteUpTo, { run, upTo });
}

const selectMessages = query((db, args: { run: number; acked: number; upTo: number }) =>
  db
    .selectFrom("perdure_inbox")
    .select(["no", "at", "dedupe_id as dedupeId", "data"])
    .where("run", "=", args.run)
    .where("no", ">", args.acked)
    .where("no", "<=", args.upTo)
    // One that somebody else has acknowledged since the task was read is empty.
    .where("acked_at", "is", null)
    .orderBy("no"),
);

const insertMessage = query(
  (db, args: { run: number; no: number; dedupeId: string; external: 0 | 1; at: Millis; data: string }, dialect) =>
    dialect.insertNew(
      db.insertInto("perdure_inbox").values({
        run: args.run,
        no: args.no,
        dedupe_id: args.dedupeId,
        external: args.external,
        at: args.at,
        data: args.data,
      }),
    ),
);

const findMessage = query((db, args: { run: number; dedupeId: string }) =>
  db.selectFrom("perdure_inbox").select("no").where("run", "=", args.run).where("dedupe_id", "=", args.dedupeId),
);

const deleteInternal = query((db, args: { run: number; after: number; upTo: number }) =>
  db
    .deleteFrom("perdure_inbox")
    .where("run", "=", args.run)
    .where("no", ">", args.after)
    .where("no", "<=", args.upTo)
    .where("external", "=", 0),
);

const rememberExternal = query((db, args: { run: number; after: number; upTo: number; now: Millis }) =>
  db
    .updateTable("perdure_inbox")
    .set({ data: "", acked_at: args.now })
    .where("run", "=", args.run)
    .where("no", ">", args.after)
    .where("no", "<=", args.upTo),
);

const selectOldest = query((db, args: { run: number; limit: number }) =>
  db.selectFrom("perdure_inbox").select(["no", "acked_at"]).where("run", "=", args.run).orderBy("no").limit(args.limit),
);

const deleteUpTo = query((db, args: { run: number; upTo: number }) =>
  db.deleteFrom("perdure_inbox").where("run", "=", args.run).where("no", "<=", args.upTo),
);

const deleteInbox = query((db, args: { run: number }) => db.deleteFrom("perdure_inbox").where("run", "=", args.run));
