import type { Millis, TaskId, UnblockResult } from "@perdure/core/storage";
import { query } from "../query.ts";
import { type Steps, write } from "../steps.ts";
import { namedTask } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";

/** `unblockTasks`, for one task: ready now with a clean slate. One that is claimed meanwhile stays with its holder. */
export function* unblockTask(turn: Turn, taskId: TaskId): Steps<UnblockResult> {
  const task = yield* namedTask(turn, taskId);
  if (task === undefined || task.seq > 0) return { status: "unknown" };
  if (task.blocked === null) return { status: "not-blocked" };
  const isHeld = task.instance !== null;
  yield* write(unblock, { run: task.run, visibleAt: isHeld ? task.visible_at : turn.now });
  if (!isHeld) wake(turn, "queue", (yield* turn.lanes.byNo(task.lane)).queue);
  return { status: "unblocked" };
}

const unblock = query((db, args: { run: number; visibleAt: Millis | null }) =>
  db
    .updateTable("perdure_tasks")
    .set({ blocked: null, deliveries: 0, visible_at: args.visibleAt })
    .where("run", "=", args.run)
    .where("seq", "=", 0),
);
