import { type EventPage, type EventRequest, type Run } from "@perdure/core/storage";
import { readHead } from "../change-run.ts";
import type { Frame } from "../documents.ts";
import { LIMITS } from "../info.ts";
import { eventsOf, readFrames, recentFrames, runOf } from "../run-views.ts";
import type { Store } from "../store.ts";
import { inParallel } from "./each-run.ts";

const AT_ONCE = 32;

/** `getRun`: the newest head, and the texts that it names. */
export async function getRun(store: Store, runId: string): Promise<Run | undefined> {
  const partition = store.run(runId);
  const known = await readHead(store, partition);
  return known && runOf(known.head, partition);
}

/** `readEvents`: frames never change, and those of the head are there. */
export async function readEvents(store: Store, requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
  const pages: EventPage[] = Array.from({ length: requests.length });
  await inParallel([...requests.entries()], AT_ONCE, async ([index, request]) => {
    pages[index] = await readPage(store, request);
  });
  return pages;
}

async function readPage(
  store: Store,
  { runId, incarnation, after, limit = LIMITS.eventPage }: EventRequest,
): Promise<EventPage> {
  const partition = store.run(runId);
  const known = await readHead(store, partition);
  if (known === undefined || (incarnation ?? known.head.incarnation) !== known.head.incarnation)
    return { events: [], lastSeq: 0 };
  const { head } = known;
  const { lastSeq } = head;
  const most = Math.min(limit, LIMITS.eventPage);
  if (after >= lastSeq) return { events: [], lastSeq };
  const recent = recentFrames(head, after);
  const frames =
    recent === undefined
      ? await partition.query<Frame>(
          "SELECT * FROM c WHERE c.t = 'frame' AND c.last > @after AND c.first <= @most ORDER BY c.first ASC",
          { after, most: Math.min(lastSeq, after + most) },
        )
      : await readFrames(partition, recent);
  return { events: await eventsOf(partition, frames, after, most), lastSeq };
}
