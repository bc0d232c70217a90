import { activityTaskId, type ClaimRequest, type TaskId } from "@perdure/core/storage";
import { query } from "../query.ts";
import type { KnownRun } from "../run-numbers.ts";
import { each, row, rows, type Steps } from "../steps.ts";
import { findTask, type TaskRow } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { keyOf } from "./choice.ts";

/** Tasks leased to this start of the worker that it does not know of: the answer of their claim was lost. */
export function* forgottenTasks(turn: Turn, { workerInstance, holding }: ClaimRequest): Steps<readonly TaskRow[]> {
  const held = yield* rows(selectHeld, { ns: turn.ns, instance: workerInstance });
  if (held.length === 0) return [];
  const known = new Set<TaskId>(holding);
  const tasks = yield* each(held, keyOf, function* (key) {
    const run = turn.numbers.byNo(key.run) ?? (yield* lookUp(turn, key.run));
    return run === undefined || known.has(taskIdOf(run, key.seq)) ? undefined : yield* turn.locked(row(findTask, key));
  });
  // Looked at again now that it is locked: its lease may have ended meanwhile, and somebody else may have it.
  return tasks.filter((task) => task?.instance === workerInstance) as readonly TaskRow[];
}

function taskIdOf(run: KnownRun, seq: number): TaskId {
  return seq === 0 ? run.taskId : activityTaskId(run.runId, run.incarnation, seq);
}

/** Undefined for a run that was done and purged meanwhile. */
function* lookUp(turn: Turn, no: number): Steps<KnownRun | undefined> {
  const found = yield* row(findIds, { no });
  return found && turn.numbers.add(no, found.id, found.incarnation);
}

const selectHeld = query((db, args: { ns: number; instance: string }) =>
  db.selectFrom("perdure_tasks").select(["run", "seq"]).where("instance", "=", args.instance).where("ns", "=", args.ns),
);

const findIds = query((db, args: { no: number }) =>
  db.selectFrom("perdure_runs").select(["id", "incarnation"]).where("no", "=", args.no),
);
