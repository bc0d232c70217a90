import type { NewEvent, StoredEvent } from "@perdure/core/storage";
import { query } from "./query.ts";
import { rows, type Steps, write } from "./steps.ts";

/** Appends events after the head. The head was checked under a lock, so the key cannot be taken (I1). */
export function* appendEvents(run: number, head: number, events: readonly NewEvent[]): Steps<void> {
  let seq = head;
  for (const { type, command, at, data } of events) {
    yield* write(insertEvent, { run, seq: ++seq, type, command, at, data });
  }
}

/** Events after a seq, in order. History has no gaps, so the limit is a seq, too (I1). */
export function readEventsAfter(run: number, after: number, limit: number): Steps<readonly StoredEvent[]> {
  return rows(selectEvents, { run, after, upTo: after + limit });
}

/** Events after the base of a run, in order; none if its base is before `leastBase`. */
export function readEventsAfterBase(run: number, leastBase: number): Steps<readonly StoredEvent[]> {
  return rows(selectAfterBase, { run, leastBase });
}

const insertEvent = query((db, { run, seq, type, command, at, data }: StoredEvent & { run: number }) =>
  db.insertInto("perdure_events").values({ run, seq, type, command, at, data }),
);

const selectEvents = query((db, args: { run: number; after: number; upTo: number }) =>
  db
    .selectFrom("perdure_events")
    .select(["seq", "type", "command", "at", "data"])
    .where("run", "=", args.run)
    .where("seq", ">", args.after)
    .where("seq", "<=", args.upTo)
    .orderBy("seq"),
);

const selectAfterBase = query((db, args: { run: number; leastBase: number }) =>
  db
    .selectFrom("perdure_runs as r")
    .innerJoin("perdure_events as e", "e.run", "r.no")
    .select(["e.seq", "e.type", "e.command", "e.at", "e.data"])
    .where("r.no", "=", args.run)
    .where("r.base_seq", ">=", args.leastBase)
    .whereRef("e.seq", ">", "r.base_seq")
    .orderBy("e.seq"),
);
