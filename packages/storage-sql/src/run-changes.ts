import type { ClosedStatus, Millis, WorkflowCommit } from "@perdure/core/storage";
import { sql } from "kysely";
import { dropAttributes, indexAttributes } from "./attributes.ts";
import { query } from "./query.ts";
import { type Steps, write } from "./steps.ts";
import type { TaskRow } from "./tasks.ts";
import type { Turn } from "./turn.ts";

/** Writes what a commit changes of the run's cold record: most commits change nothing of it. */
export function* writeRun(turn: Turn, task: TaskRow, commit: WorkflowCommit): Steps<void> {
  const { run: fields, close, next, events, commitId } = commit;
  const { run } = task;
  if (fields?.attributes !== undefined) {
    yield* dropAttributes(run);
    yield* indexAttributes(run, fields.attributes);
  }
  const changes: FieldChanges = {
    run,
    state: fields?.state ?? null,
    attributes: fields?.attributes === undefined ? null : JSON.stringify(fields.attributes),
    baseSeq: fields?.baseSeq ?? null,
  };
  if (close === undefined && next.do !== "done") {
    if (fields !== undefined) yield* write(changeFields, changes);
    return;
  }
  const lastSeq = task.last_seq + events.length;
  if (close === undefined) {
    yield* write(retireRun, { ...changes, lastSeq, commitId });
    return;
  }
  const discarded = task.inbox_last - commit.ackInbox;
  const { status, output = null, failure = null } = close;
  yield* write(closeRun, { ...changes, lastSeq, commitId, status, output, failure, closedAt: turn.now, discarded });
  if (discarded > 0) yield* write(countDiscarded, { ns: turn.ns, discarded });
}

/** Null leaves a field as it is: none of them can be set to null. */
interface FieldChanges {
  run: number;
  state: string | null;
  attributes: string | null;
  baseSeq: number | null;
}

interface Head {
  lastSeq: number;
  commitId: string;
}

interface End {
  status: ClosedStatus;
  output: string | null;
  failure: string | null;
  closedAt: Millis;
  discarded: number;
}

/** The new value of a column, or the old one for null. */
function orSame<T>(value: T, column: string) {
  return sql<NonNullable<T>>`coalesce(${value}, ${sql.ref(column)})`;
}

function fieldsOf(args: FieldChanges) {
  return {
    state: orSame(args.state, "state"),
    attributes: orSame(args.attributes, "attributes"),
    base_seq: orSame(args.baseSeq, "base_seq"),
  };
}

const changeFields = query((db, args: FieldChanges) =>
  db.updateTable("perdure_runs").set(fieldsOf(args)).where("no", "=", args.run),
);

const retireRun = query((db, args: FieldChanges & Head) =>
  db
    .updateTable("perdure_runs")
    .set({ ...fieldsOf(args), last_seq: args.lastSeq, commit_id: args.commitId })
    .where("no", "=", args.run),
);

const closeRun = query((db, args: FieldChanges & Head & End) =>
  db
    .updateTable("perdure_runs")
    .set({
      ...fieldsOf(args),
      last_seq: args.lastSeq,
      commit_id: args.commitId,
      status: args.status,
      output: args.output,
      failure: args.failure,
      closed_at: args.closedAt,
      discarded: args.discarded,
    })
    .where("no", "=", args.run),
);

const countDiscarded = query((db, args: { ns: number; discarded: number }) =>
  db
    .updateTable("perdure_namespaces")
    .set({ discarded: sql`discarded + ${args.discarded}` })
    .where("no", "=", args.ns),
);
