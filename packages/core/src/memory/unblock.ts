import type { Millis, TaskId } from "../model/ids.ts";
import type { UnblockResult } from "../storage/task.ts";
import type { Namespace } from "./store.ts";

/** `unblockTasks`: ready now with a clean slate. One that is claimed meanwhile stays with its holder. */
export function unblockTask(space: Namespace, taskId: TaskId, now: Millis): UnblockResult {
  const task = space.tasks.get(taskId);
  if (task === undefined || task.kind === "activity") return { status: "unknown" };
  if (task.blocked === null) return { status: "not-blocked" };
  task.blocked = null;
  task.deliveries = 0;
  if (task.lease === null) {
    space.tasks.show(task, now);
    space.hints.give("queue", task.queue);
  }
  return { status: "unblocked" };
}
