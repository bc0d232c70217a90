import { PURGE_AGE_MS, type PurgeRequest, type PurgeResult } from "@perdure/core/storage";
import { sql } from "kysely";
import { dropTasks } from "../activities.ts";
import { dropAttributes } from "../attributes.ts";
import { emptyInbox } from "../inbox.ts";
import { query, transient } from "../query.ts";
import { each, rows, type Steps, write } from "../steps.ts";
import type { Turn } from "../turn.ts";

/** `purgeRuns`: those that closed first come first. Each goes with everything that belongs to it (I26). */
export function* purgeRuns(turn: Turn, request: PurgeRequest): Steps<PurgeResult> {
  const limit = Math.min(request.limit, turn.limits.purgeRuns);
  if (request.status?.length === 0 || request.runIds?.length === 0) return { purged: 0, more: false };
  const found = yield* rows(selectPurgeable(turn, request, limit + 1), {});
  const purged = found.slice(0, limit);
  yield* each(purged, ({ no }) => String(no), deleteRun);
  const discarded = purged.reduce((sum, run) => sum + run.discarded, 0);
  if (discarded > 0) yield* write(forgetDiscarded, { ns: turn.ns, discarded });
  return { purged: purged.length, more: found.length > limit };
}

function* deleteRun({ no: run }: { readonly no: number }): Steps<void> {
  yield* dropTasks(run);
  yield* emptyInbox(run);
  yield* dropAttributes(run);
  yield* write(deleteEvents, { run });
  yield* write(deleteCacheOf, { run });
  yield* write(deleteRunRow, { run });
}

/** Closed runs whose task is gone, that closed long enough ago, and whose parent waits for nothing. */
function selectPurgeable({ ns, now }: Turn, request: PurgeRequest, limit: number) {
  const { closedBefore, minAgeMs = PURGE_AGE_MS, status, runIds } = request;
  return transient((db, _, dialect) =>
    // Those that another purge is deleting count there. Nothing is passed over: on some servers a start that finds its id taken locks
    // the run for a moment.
    dialect.lock(
      db
        .selectFrom("perdure_runs as r")
        .select(["r.no", "r.discarded"])
        .where("r.ns", "=", ns)
        .where("r.closed_at", "<", closedBefore)
        .where("r.closed_at", "<=", now - minAgeMs)
        .$if(status !== undefined, (select) => select.where("r.status", "in", status ?? []))
        .$if(runIds !== undefined, (select) => select.where("r.id", "in", runIds ?? []))
        // Counted by key, for each run: that none exists, some servers find out by reading all others first.
        .where((eb) =>
          eb(
            eb
              .selectFrom("perdure_tasks as t")
              .select(({ fn }) => fn.countAll().as("tasks"))
              .whereRef("t.run", "=", "r.no")
              .where("t.seq", "=", 0),
            "=",
            0,
          ),
        )
        .where((eb) =>
          eb(
            eb
              .selectFrom("perdure_runs as p")
              .select(({ fn }) => fn.countAll().as("parents"))
              .whereRef("p.ns", "=", "r.ns")
              .whereRef("p.id", "=", "r.parent_id")
              .whereRef("p.incarnation", "=", "r.parent_incarnation")
              .where("p.status", "=", "open"),
            "=",
            0,
          ),
        )
        .orderBy("r.closed_at")
        .limit(limit),
    ),
  );
}

const deleteEvents = query((db, args: { run: number }) => db.deleteFrom("perdure_events").where("run", "=", args.run));

const deleteCacheOf = query((db, args: { run: number }) => db.deleteFrom("perdure_cache").where("run", "=", args.run));

const deleteRunRow = query((db, args: { run: number }) => db.deleteFrom("perdure_runs").where("no", "=", args.run));

const forgetDiscarded = query((db, args: { ns: number; discarded: number }) =>
  db
    .updateTable("perdure_namespaces")
    .set({ discarded: sql`discarded - ${args.discarded}` })
    .where("no", "=", args.ns),
);
