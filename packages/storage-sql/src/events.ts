import type { NewEvent, StoredEvent } from "@perdure/core/storage";
import { query } from "./query.ts";
import { change, rows, type Steps } from "./steps.ts";

/** Appends events after the head. The head was checked under a lock, so the key cannot be taken (I1). */
export function* appendEvents(run: number, head: number, events: readonly NewEvent[]): Steps<void> {
  let seq = head;
  for (const { type, command, at, data } of events) {
    yield* change(insertEvent, { run, seq: ++seq, type, command, at, data });
  }
}

/** Events after a seq, in order. */
export function readEventsAfter(run: number, after: number, limit: number): Steps<readonly StoredEvent[]> {
  return rows(selectEvents, { run, after, limit });
}

const insertEvent = query((db, { run, seq, type, command, at, data }: StoredEvent & { run: number }) =>
  db.insertInto("perdure_events").values({ run, seq, type, command, at, data }),
);

const selectEvents = query((db, args: { run: number; after: number; limit: number }) =>
  db
    .selectFrom("perdure_events")
    .select(["seq", "type", "command", "at", "data"])
    .where("run", "=", args.run)
    .where("seq", ">", args.after)
    .orderBy("seq")
    .limit(args.limit),
);
