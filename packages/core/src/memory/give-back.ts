import type { Millis } from "../model/ids.ts";
import type { Task } from "./records.ts";
import type { Namespace } from "./store.ts";

/** Ends a claim, and says when the task can be claimed again: every later verb under the old epoch is refused (I6). */
export function giveBack(space: Namespace, task: Task, at: Millis | null, now: Millis): void {
  space.tasks.endClaim(task);
  space.tasks.show(task, at);
  if (at !== null && at <= now) space.hints.give("queue", task.queue);
}
