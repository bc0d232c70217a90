import { activityTaskId, type ClaimRequest, type TaskId } from "@perdure/core/storage";
import { lockOrderOf } from "../lock-order.ts";
import { query } from "../query.ts";
import type { KnownRun } from "../run-numbers.ts";
import { each, row, rows, type Steps } from "../steps.ts";
import { findTask, type TaskKey, type TaskRow } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { keyOf } from "./choice.ts";

/** Tasks leased to this start of the worker that it does not know of: the answer of their claim was lost. */
export function* forgottenTasks(turn: Turn, { workerInstance, holding }: ClaimRequest): Steps<readonly TaskRow[]> {
  const held = yield* rows(selectHeld, { ns: turn.ns, instance: workerInstance });
  if (held.length === 0) return [];
  const known = new Set<TaskId>(holding);
  const named = yield* each(held, keyOf, (key) => nameOf(turn, key));
  const tasks = yield* each(
    named.flatMap((task) => (task === undefined || known.has(task.taskId) ? [] : task)),
    ({ taskId }) => lockOrderOf(taskId),
    ({ key }) => turn.locked(row(findTask, key)),
  );
  // Looked at again now that it is locked: its lease may have ended meanwhile, and somebody else may have it.
  return tasks.filter((task) => task?.instance === workerInstance) as readonly TaskRow[];
}

interface NamedTask {
  readonly key: TaskKey;
  readonly taskId: TaskId;
}

/** Undefined for a task whose run was done and purged meanwhile. */
function* nameOf(turn: Turn, key: TaskKey): Steps<NamedTask | undefined> {
  const run = turn.numbers.byNo(key.run) ?? (yield* lookUp(turn, key.run));
  if (run === undefined) return undefined;
  const taskId = key.seq === 0 ? run.taskId : activityTaskId(run.runId, run.incarnation, key.seq);
  return { key, taskId };
}

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
