/**
 * Verbs in a caller's transaction, which may last. An insert that finds its key taken, and a lock on what is not there, may keep
 * others from rows beside it: so what is there is looked for first. That one row is answered in any case says a database that
 * there is nothing to be looked for more closely.
 */
import type { CreateRunResult, DeliverResult, NewMessage, NewRun } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { HEADER_COLUMNS } from "../run-row.ts";
import { row, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";
import { createRun, foundRun } from "./create-runs.ts";
import { deliver } from "./deliver.ts";

/** `createRuns`, for one run. */
export function* createRunIn(turn: Turn, run: NewRun): Steps<CreateRunResult> {
  const found = (yield* row(lookForRun, { ns: turn.ns, id: run.runId }))!;
  return found.id === null ? yield* createRun(turn, run) : foundRun(found as FoundRow, run);
}

type FoundRow = Parameters<typeof foundRun>[0];

/** `deliver`, for one message. */
export function* deliverIn(turn: Turn, message: NewMessage): Steps<DeliverResult> {
  const { runId: id, dedupeId } = message;
  const { incarnation, status, known } = (yield* row(lookForMessage, { ns: turn.ns, id, dedupeId }))!;
  if (incarnation === null || (message.incarnation ?? incarnation) !== incarnation)
    return yield* deliver(turn, message);
  if (known !== null) return { status: "duplicate" };
  return status === "open" ? yield* deliver(turn, message) : { status: "closed" };
}

const lookForRun = query((db, args: { ns: number; id: string }) =>
  db
    .selectFrom(sql`(select 1)`.as("one"))
    .leftJoin("perdure_runs", (join) => join.on("perdure_runs.ns", "=", args.ns).on("perdure_runs.id", "=", args.id))
    .select(HEADER_COLUMNS)
    .select("perdure_runs.status"),
);

const lookForMessage = query((db, args: { ns: number; id: string; dedupeId: string }) =>
  db
    .selectFrom(sql`(select 1)`.as("one"))
    .leftJoin("perdure_runs as r", (join) => join.on("r.ns", "=", args.ns).on("r.id", "=", args.id))
    .leftJoin("perdure_inbox as i", (join) => join.onRef("i.run", "=", "r.no").on("i.dedupe_id", "=", args.dedupeId))
    .select(["r.incarnation", "r.status", "i.no as known"]),
);
