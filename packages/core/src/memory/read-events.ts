import type { EventPage, EventRequest } from "../storage/event.ts";
import type { Limits } from "../storage/info.ts";
import type { Namespace } from "./store.ts";
import { eventsOf } from "./views.ts";

/** `readEvents`: events are never changed or removed while their run is there, so a page is a slice (I1, I2). */
export function readEvents(space: Namespace, request: EventRequest, limits: Limits): EventPage {
  const run = space.run(request.runId, request.incarnation);
  if (run === undefined) return { events: [], lastSeq: 0 };
  const limit = Math.min(request.limit ?? limits.eventPage, limits.eventPage);
  return { events: eventsOf(run, request.after, limit), lastSeq: run.events.length };
}
