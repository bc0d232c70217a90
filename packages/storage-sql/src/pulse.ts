import type { Millis } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "./query.ts";
import { row, rows, type Steps, write } from "./steps.ts";

/** So many pulses are kept: who has missed more has missed what they say. */
const KEPT_PULSES = 64;

/** What the newest writes of a store handed out and woke: the memory of a clock, and a way to hear of other processes. */
export interface Pulse {
  readonly no: number;
  readonly at: Millis;
  readonly topics: string;
}

/** The newest pulse; there is none before the first write. */
export function lastPulse(): Steps<Pulse | undefined> {
  return row(selectLast, {});
}

/** The pulses after a number, oldest first. */
export function pulsesAfter(no: number): Steps<readonly Pulse[]> {
  return rows(selectAfter, { no });
}

/** Moves the newest pulse on in time: nothing was woken that others would have to hear of. */
export function* touchPulse(no: number, at: Millis): Steps<void> {
  yield* write(updatePulse, { no, at });
}

/** Adds a pulse, and forgets one that is old. */
export function* addPulse(pulse: Pulse): Steps<void> {
  yield* write(insertPulse, pulse);
  yield* write(deletePulse, { no: pulse.no - KEPT_PULSES });
}

const selectLast = query((db) =>
  db.selectFrom("perdure_pulse").select(["no", "at", "topics"]).orderBy("no", "desc").limit(sql.lit(1)),
);

const selectAfter = query((db, args: { no: number }) =>
  db.selectFrom("perdure_pulse").select(["no", "at", "topics"]).where("no", ">", args.no).orderBy("no"),
);

const insertPulse = query((db, { no, at, topics }: Pulse) => db.insertInto("perdure_pulse").values({ no, at, topics }));

const updatePulse = query((db, args: { no: number; at: Millis }) =>
  db.updateTable("perdure_pulse").set({ at: args.at }).where("no", "=", args.no),
);

const deletePulse = query((db, args: { no: number }) => db.deleteFrom("perdure_pulse").where("no", "=", args.no));
