import { decodeCursor, encodeCursor, type Page, type RunQuery, type RunSummary } from "@perdure/core/storage";
import type { Head } from "../documents.ts";
import { attributeKey, listKey } from "../ids.ts";
import { summaryOf } from "../run-views.ts";
import type { Store } from "../store.ts";

/** `listRuns`: reads one run more than the page holds, to know whether there is a next one. */
export async function listRuns(store: Store, query: RunQuery): Promise<Page<RunSummary>> {
  if ([query.status].some((list) => list?.length === 0)) return { items: [], cursor: null };
  const conditions = ["c.ns = @ns", "c.t = 'head'"];
  const values: Record<string, unknown> = { ns: store.namespace, most: query.limit + 1 };
  const need = (condition: string, name: string, value: unknown): void => {
    conditions.push(condition);
    values[name] = value;
  };
  if (query.status !== undefined) {
    for (const [at, status] of query.status.entries()) values[`status${at}`] = status;
    conditions.push(`c.status IN (${query.status.map((_, at) => `@status${at}`).join(", ")})`);
  }
  if (query.workflow !== undefined) need("c.workflow = @workflow", "workflow", query.workflow);
  if (query.queue !== undefined) need("c.queue = @queue", "queue", query.queue);
  if (query.blocked !== undefined) need("c.isBlocked = @blocked", "blocked", query.blocked);
  if (query.parentRunId !== undefined) need("c.parentRunId = @parent", "parent", query.parentRunId);
  if (query.createdAfter !== undefined) need("c.listKey >= @after", "after", listKey(query.createdAfter, ""));
  if (query.createdBefore !== undefined) need("c.listKey < @before", "before", listKey(query.createdBefore, ""));
  for (const [at, [name, value]] of Object.entries(query.attributes ?? {}).entries())
    need(`ARRAY_CONTAINS(c.attrs, @attribute${at})`, `attribute${at}`, attributeKey(name, value));
  if (query.cursor !== undefined) {
    const { createdAt, runId } = decodeCursor(query.cursor);
    need("c.listKey < @cursor", "cursor", listKey(createdAt, runId));
  }
  const text = `SELECT TOP @most * FROM c WHERE ${conditions.join(" AND ")} ORDER BY c.ns DESC, c.listKey DESC`;
  const found = await store.query<Head>(text, values);
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: await Promise.all(page.map((head) => summaryOf(head, store.partition(head.pk)))),
    cursor: found.length > page.length && last !== undefined ? encodeCursor(last) : null,
  };
}
