import { activityTaskId, type ClaimRequest, type TaskId } from "@perdure/core/storage";
import { query } from "../query.ts";
import type { KnownRun } from "../run-numbers.ts";
import { row, rows, type Steps } from "../steps.ts";
import { findTask, type TaskRow } from "../tasks.ts";
import type { Turn } from "../turn.ts";

/** Tasks leased to this start of the worker that it does not know of: the answer of their claim was lost. */
export function* forgottenTasks(turn: Turn, { workerInstance, holding }: ClaimRequest): Steps<readonly TaskRow[]> {
  const held = yield* rows(selectHeld, { ns: turn.ns, instance: workerInstance });
  if (held.length === 0) return [];
  const known = new Set<TaskId>(holding);
  const forgotten: TaskRow[] = [];
  for (const key of held) {
    const run = turn.numbers.byNo(key.run) ?? (yield* lookUp(turn, key.run));
    if (known.has(taskIdOf(run, key.seq))) continue;
    const task = yield* row(findTask, key);
    if (task !== undefined) forgotten.push(task);
  }
  return forgotten;
}

function taskIdOf(run: KnownRun, seq: number): TaskId {
  return seq === 0 ? run.taskId : activityTaskId(run.runId, run.incarnation, seq);
}

function* lookUp(turn: Turn, no: number): Steps<KnownRun> {
  const { id, incarnation } = (yield* row(findIds, { no }))!;
  return turn.numbers.add(no, id, incarnation);
}

const selectHeld = query((db, args: { ns: number; instance: string }) =>
  db.selectFrom("perdure_tasks").select(["run", "seq"]).where("instance", "=", args.instance).where("ns", "=", args.ns),
);

const findIds = query((db, args: { no: number }) =>
  db.selectFrom("perdure_runs").select(["id", "incarnation"]).where("no", "=", args.no),
);
