import { copyHeader, type CreateRunResult, type NewRun } from "@perdure/core/storage";
import { indexAttributes } from "../attributes.ts";
import { appendEvents } from "../events.ts";
import type { LaneKey } from "../lanes.ts";
import { query } from "../query.ts";
import { HEADER_COLUMNS, headerOf, type HeaderRow, type RunRow } from "../run-row.ts";
import { changeAndRow, type Steps, write } from "../steps.ts";
import { insertTask } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";

/** `createRuns`, for one run: the insert decides whether the id is free (I15). */
export function* createRun(turn: Turn, run: NewRun): Steps<CreateRunResult> {
  const { runId: id } = run;
  for (;;) {
    const [inserted, found] = yield* changeAndRow(insertRun, rowOf(turn, run), findHeader, { ns: turn.ns, id });
    // A run that was in the way may be purged before we look at it.
    if (found === undefined) continue;
    return inserted > 0 ? yield* complete(turn, run, found.no) : foundRun(found, run);
  }
}

/** Stores all that belongs to a new run, and wakes who may carry it on. */
function* complete(turn: Turn, run: NewRun, no: number): Steps<CreateRunResult> {
  turn.numbers.add(no, run.runId, run.incarnation);
  const lane = yield* turn.lanes.get(turn.ns, laneKeyOf(run));
  yield* write(insertTask, {
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

/** The answer to somebody who wants to create a run whose id is taken. */
export function foundRun(found: HeaderRow & Pick<RunRow, "status">, { startHash }: NewRun): CreateRunResult {
  const status = found.start_hash === startHash ? "existing" : "conflict";
  return { status, run: { ...headerOf(found), status: found.status } };
}

/** The lane of a run's workflow task. */
export function laneKeyOf({ queue, workflow: name, priority }: NewRun): LaneKey {
  return { queue, kind: "workflow", name, priority };
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
  dialect.insertNew(
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
  ),
);

const findHeader = query((db, args: { ns: number; id: string }) =>
  db
    .selectFrom("perdure_runs")
    .select(HEADER_COLUMNS)
    .select(["no", "status"])
    .where("ns", "=", args.ns)
    .where("id", "=", args.id),
);
