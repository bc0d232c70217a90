import { type Claim, type Millis, type NewActivityTask, parseTaskId, type TaskId } from "@perdure/core/storage";
import { query } from "./query.ts";
import { change, type Steps, write } from "./steps.ts";
import { deleteTask, insertTask, type TaskKey } from "./tasks.ts";
import { type Turn, wake } from "./turn.ts";

/** Stores a new activity task of a run; one whose id is there already, or was completed, stays as it is. */
export function* scheduleActivity(turn: Turn, run: number, task: NewActivityTask): Steps<void> {
  const { activity, queue, priority, input, attempt, details, readyAt } = task;
  const { seq } = parseTaskId(task.taskId)!;
  const inserted = yield* change(insertActivity, { run, seq, input, details, attempt, scheduledAt: turn.now });
  if (inserted === 0) return;
  const lane = yield* turn.lanes.get(turn.ns, { queue, kind: "activity", name: activity, priority });
  yield* write(insertTask, {
    run,
    seq,
    ns: turn.ns,
    lane: lane.no,
    visibleAt: readyAt ?? turn.now,
    deadlineAt: null,
    lastSeq: 0,
  });
  wake(turn, "queue", queue);
}

/** Deletes an activity task of the claim's run, claimed or not. Any other id is unknown here. */
export function* cancelActivity(claim: Claim, run: number, taskId: TaskId): Steps<void> {
  const address = parseTaskId(taskId);
  if (address?.runId !== claim.runId || address.incarnation !== claim.incarnation || address.seq === 0) return;
  const key = { run, seq: address.seq };
  if ((yield* change(deleteTask, key)) > 0) yield* write(deleteActivity, key);
}

/** Deletes all tasks that a run still has. */
export function* dropTasks(run: number): Steps<void> {
  yield* write(deleteTasks, { run });
  yield* write(deleteActivities, { run });
}

const insertActivity = query(
  (db, args: TaskKey & { input: string; details: string | null; attempt: number; scheduledAt: Millis }, dialect) =>
    dialect.insertNew(
      db.insertInto("perdure_activities").values({
        run: args.run,
        seq: args.seq,
        input: args.input,
        details: args.details,
        attempt: args.attempt,
        scheduled_at: args.scheduledAt,
      }),
    ),
);

const deleteActivity = query((db, args: TaskKey) =>
  db.deleteFrom("perdure_activities").where("run", "=", args.run).where("seq", "=", args.seq),
);

const deleteTasks = query((db, args: { run: number }) => db.deleteFrom("perdure_tasks").where("run", "=", args.run));

const deleteActivities = query((db, args: { run: number }) =>
  db.deleteFrom("perdure_activities").where("run", "=", args.run),
);
