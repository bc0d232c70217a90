import type { Run } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { DETAIL_COLUMNS, HEADER_COLUMNS, runOf, SUMMARY_COLUMNS } from "../run-row.ts";
import { row, type Steps } from "../steps.ts";
import type { Store } from "../turn.ts";

/** `getRun`: one statement, so the run and its task are of one moment. */
export function* getRun(store: Store, runId: string): Steps<Run | undefined> {
  const found = yield* row(findRun, { ns: store.ns, id: runId });
  return found && runOf(found);
}

const findRun = query((db, args: { ns: number; id: string }) =>
  db
    .selectFrom("perdure_runs")
    .leftJoin("perdure_tasks", (join) =>
      join.onRef("perdure_tasks.run", "=", "perdure_runs.no").on("perdure_tasks.seq", "=", sql.lit(0)),
    )
    .select([...HEADER_COLUMNS, ...SUMMARY_COLUMNS.slice(9), ...DETAIL_COLUMNS])
    .where("perdure_runs.ns", "=", args.ns)
    .where("perdure_runs.id", "=", args.id),
);
