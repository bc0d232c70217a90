import type { NewEvent } from "../storage/event.ts";
import type { Limits } from "../storage/info.ts";

/** How many of these events go into one commit, beside a terminal event and the fields of the run's row. At least one. */
export function firstThatFit(events: readonly NewEvent[], { eventsPerCommit, commitBytes }: Limits): number {
  const most = Math.min(events.length, eventsPerCommit - 1);
  let bytes = 0;
  for (let count = 0; count < most; count++) {
    bytes += Buffer.byteLength(events[count]!.data);
    if (bytes > commitBytes / 2) return Math.max(count, 1);
  }
  return most;
}
