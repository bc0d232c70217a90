import type { NewEvent } from "../storage/event.ts";
import type { Limits } from "../storage/info.ts";

/**
 * How many of these events go into one commit, beside a terminal event, the fields of the run's row, and the activity tasks that
 * they create. At least one.
 */
export function firstThatFit(events: readonly NewEvent[], limits: Limits): number {
  const { eventsPerCommit, tasksPerCommit, commitBytes } = limits;
  const most = Math.min(events.length, eventsPerCommit - 1);
  let bytes = 0;
  let tasks = 0;
  for (let count = 0; count < most; count++) {
    const { type, data } = events[count]!;
    const isTask = type === "ACTIVITY_SCHEDULED";
    // A task has the input once more, and what its worker must know.
    bytes += Buffer.byteLength(data) * (isTask ? 2 : 1);
    if (isTask) tasks++;
    if (bytes > commitBytes / 2 || tasks > tasksPerCommit) return Math.max(count, 1);
  }
  return most;
}
