import type { Page, RunQuery, RunSummary } from "../storage/run.ts";
import { decodeCursor, encodeCursor } from "../storage/cursor.ts";
import type { RunRecord } from "./records.ts";
import type { Namespace } from "./store.ts";
import { summaryOf } from "./views.ts";

/** `listRuns`: reads one run more than the page holds, to know whether there is a next one. */
export function listRuns(space: Namespace, query: RunQuery): Page<RunSummary> {
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const found: RunRecord[] = [];
  for (const run of space.runs.newestFirst(after)) {
    if (!matches(run, query)) continue;
    found.push(run);
    if (found.length > query.limit) break;
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(summaryOf),
    cursor: found.length > page.length && last !== undefined ? encodeCursor(last.start) : null,
  };
}

function matches(run: RunRecord, query: RunQuery): boolean {
  const { workflow, queue, parent, createdAt } = run.start;
  return (
    (query.status === undefined || query.status.includes(run.status)) &&
    (query.workflow === undefined || query.workflow === workflow) &&
    (query.queue === undefined || query.queue === queue) &&
    (query.blocked === undefined || query.blocked === ((run.task?.blocked ?? null) !== null)) &&
    (query.parentRunId === undefined || query.parentRunId === parent?.runId) &&
    (query.createdAfter === undefined || createdAt >= query.createdAfter) &&
    (query.createdBefore === undefined || createdAt < query.createdBefore) &&
    (query.attributes === undefined || hasAttributes(run, query.attributes))
  );
}

function hasAttributes({ attributes }: RunRecord, wanted: NonNullable<RunQuery["attributes"]>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(attributes, name) && attributes[name] === value);
}
