import type { NewEvent } from "../storage/event.ts";
import type { Limits } from "../storage/info.ts";

/**
 * How many of these events go into one commit, beside a terminal event, the fields of the run's row, and the activity tasks that
 * they create. At least one. `taskBytes` says what the task takes that an event creates, by its place.
 */
export function firstThatFit(
  events: readonly NewEvent[],
  limits: Limits,
  taskBytes: (at: number) => number = none,
): number {
  const { eventsPerCommit, tasksPerCommit, commitBytes } = limits;
  const most = Math.min(events.length, eventsPerCommit - 1);
  let bytes = 0;
  let tasks = 0;
  for (let count = 0; count < most; count++) {
    const { type, data } = events[count]!;
    // A task has the input too, also where an earlier event has recorded it.
    bytes += Buffer.byteLength(data) + taskBytes(count);
    if (type === "ACTIVITY_SCHEDULED") tasks++;
    if (bytes > commitBytes / 2 || tasks > tasksPerCommit) return Math.max(count, 1);
  }
  return most;
}

function none(): number {
  return 0;
}
