import { copyHeader, type CreateRunResult, type NewRun } from "@perdure/core/storage";
import { indexAttributes } from "../attributes.ts";
import { appendEvents } from "../events.ts";
import { query } from "../query.ts";
import { HEADER_COLUMNS, headerOf } from "../run-row.ts";
import { change, row, type Steps } from "../steps.ts";
import { insertTask } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";

/** `createRuns`, for one run: the insert decides whether the id is free (I15). */
export function* createRun(turn: Turn, run: NewRun): Steps<CreateRunResult> {
  const inserted = yield* row(insertRun, rowOf(turn, run));
  if (inserted === undefined) return yield* standing(turn, run);

  const { no } = inserted;
  turn.numbers.add(no, run.runId, run.incarnation);
  const lane = yield* turn.lanes.get(turn.ns, {
    queue: run.queue,
    kind: "workflow",
    name: run.workflow,
    priority: run.priority,
  });
  yield* change(insertTask, {
    run: no,
    seq: 0,
    ns: turn.ns,
    lane: lane.no,
    visibleAt: run.readyAt ?? turn.now,
    deadlineAt: run.deadlineAt,
    lastSeq: 1,
  });
  yield* appendEvents(no, 0, [run.started]);
  yield* indexAttributes(no, run.attributes);
  wake(turn, "queue", run.queue);
  return { status: "created", run: { ...copyHeader(run, { createdAt: turn.now, baseSeq: 0 }), status: "open" } };
}

function* standing(turn: Turn, { runId, startHash }: NewRun): Steps<CreateRunResult> {
  const found = (yield* row(findHeader, { ns: turn.ns, id: runId }))!;
  const status = found.start_hash === startHash ? "existing" : "conflict";
  return { status, run: { ...headerOf(found), status: found.status } };
}

type RowArgs = ReturnType<typeof rowOf>;

function rowOf(turn: Turn, run: NewRun) {
  return {
    ns: turn.ns,
    id: run.runId,
    incarnation: run.incarnation,
    workflow: run.workflow,
    version: run.version,
    queue: run.queue,
    priority: run.priority,
    startHash: run.startHash,
    parentId: run.parent === null ? null : run.parent.runId,
    parentIncarnation: run.parent === null ? null : run.parent.incarnation,
    parentSeq: run.parent === null ? null : run.parent.seq,
    parentClose: run.parentClose,
    input: run.input,
    state: run.state,
    attributes: JSON.stringify(run.attributes),
    createdAt: turn.now,
    deadlineAt: run.deadlineAt,
  };
}

const insertRun = query((db, args: RowArgs, dialect) =>
  dialect
    .insertNew(
      db.insertInto("perdure_runs").values({
        ns: args.ns,
        id: args.id,
        incarnation: args.incarnation,
        workflow: args.workflow,
        version: args.version,
        queue: args.queue,
        priority: args.priority,
        start_hash: args.startHash,
        parent_id: args.parentId,
        parent_incarnation: args.parentIncarnation,
        parent_seq: args.parentSeq,
        parent_close: args.parentClose,
        input: args.input,
        state: args.state,
        attributes: args.attributes,
        status: "open",
        created_at: args.createdAt,
        deadline_at: args.deadlineAt,
        base_seq: 0,
        last_seq: 1,
        discarded: 0,
      }),
    )
    .returning("no"),
);

const findHeader = query((db, args: { ns: number; id: string }) =>
  db
    .selectFrom("perdure_runs")
    .select(HEADER_COLUMNS)
    .select("status")
    .where("ns", "=", args.ns)
    .where("id", "=", args.id),
);
