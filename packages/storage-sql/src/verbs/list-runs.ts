import { decodeCursor, encodeCursor, type Page, type RunQuery, type RunSummary } from "@perdure/core/storage";
import { type Expression, type ExpressionBuilder, sql, type SqlBool } from "kysely";
import { attributeKey } from "../attributes.ts";
import { type Query, transient } from "../query.ts";
import { SUMMARY_COLUMNS, type SummaryRow, summaryOf } from "../run-row.ts";
import type { Tables } from "../schema/tables.ts";
import { rows, type Steps } from "../steps.ts";
import type { SqlWords } from "../sql-words.ts";
import type { Store } from "../turn.ts";

/** `listRuns`: reads one run more than the page holds, to know whether there is a next one. */
export function* listRuns(store: Store, query: RunQuery): Steps<Page<RunSummary>> {
  if (query.status?.length === 0) return { items: [], cursor: null };
  const found = yield* rows(selectPage(store.ns, query), {});
  const items = found.slice(0, query.limit).map(summaryOf);
  const last = items.at(-1);
  return { items, cursor: found.length > items.length && last !== undefined ? encodeCursor(last) : null };
}

/** In the order of an index on keys that never change, from where the page before ended (I19). */
function selectPage(ns: number, query: RunQuery): Query<object, SummaryRow> {
  const { status = [], workflow, queue, blocked, parentRunId, createdAfter, createdBefore, limit } = query;
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  return transient((db, _, { pagesBegin }) => {
    let page = db
      .selectFrom("perdure_runs")
      .leftJoin("perdure_tasks", (join) =>
        join.onRef("perdure_tasks.run", "=", "perdure_runs.no").on("perdure_tasks.seq", "=", sql.lit(0)),
      )
      .select(SUMMARY_COLUMNS)
      .orderBy("perdure_runs.ns", "desc")
      .orderBy("perdure_runs.created_at", "desc")
      .orderBy("perdure_runs.id", "desc")
      .limit(limit + 1);
    page =
      after !== undefined && pagesBegin === "in a range"
        ? page.where("perdure_runs.ns", ">=", ns).where("perdure_runs.ns", "<=", ns)
        : page.where("perdure_runs.ns", "=", ns);
    if (after !== undefined) page = page.where((eb) => isOlder(eb, after, pagesBegin));
    if (createdAfter !== undefined) page = page.where("perdure_runs.created_at", ">=", createdAfter);
    if (createdBefore !== undefined) page = page.where("perdure_runs.created_at", "<", createdBefore);
    if (workflow !== undefined) page = page.where("perdure_runs.workflow", "=", workflow);
    if (queue !== undefined) page = page.where("perdure_runs.queue", "=", queue);
    if (parentRunId !== undefined) page = page.where("perdure_runs.parent_id", "=", parentRunId);
    if (blocked === false) page = page.where("perdure_tasks.blocked", "is", null);
    if (blocked === true) {
      page = page.where("perdure_runs.no", "in", (eb) =>
        eb.selectFrom("perdure_tasks as b").select("b.run").where("b.ns", "=", ns).where("b.blocked", "is not", null),
      );
    }
    if (status.length > 0) {
      // Written out, so that a planner that is not told of values knows how rare they are.
      page = page.where(
        "perdure_runs.status",
        "in",
        status.map((name) => sql.lit(name)),
      );
      // Says that the small index of runs that are not completed will do.
      if (!status.includes("completed")) page = page.where("perdure_runs.status", "<>", sql.lit("completed"));
    }
    for (const [name, value] of Object.entries(query.attributes ?? {})) {
      page = page.where("perdure_runs.no", "in", (eb) =>
        eb
          .selectFrom("perdure_attributes as a")
          .select("a.run")
          .where("a.name", "=", name)
          .where("a.value", "=", attributeKey(value)),
      );
    }
    return page;
  });
}

/** Comes after a run in the order of pages. */
function isOlder(
  eb: ExpressionBuilder<Tables, "perdure_runs">,
  { createdAt, runId }: ReturnType<typeof decodeCursor>,
  pagesBegin: SqlWords["pagesBegin"],
): Expression<SqlBool> {
  const [at, id] = ["perdure_runs.created_at", "perdure_runs.id"] as const;
  if (pagesBegin === "at a row") return eb(eb.refTuple(at, id), "<", eb.tuple(createdAt, runId));
  return eb.or([eb(at, "<", createdAt), eb(at, "=", createdAt).and(id, "<", runId)]);
}
