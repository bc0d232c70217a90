import type { EventPage, EventRequest } from "@perdure/core/storage";
import { sql } from "kysely";
import { readEventsAfter } from "../events.ts";
import { query } from "../query.ts";
import { row, type Steps } from "../steps.ts";
import type { Store } from "../turn.ts";

/** `readEvents`, for one request. */
export function* readEvents(store: Store, { runId, incarnation, after, limit }: EventRequest): Steps<EventPage> {
  const head = yield* row(findHead, { ns: store.ns, id: runId });
  if (head === undefined || (incarnation ?? head.incarnation) !== head.incarnation) return { events: [], lastSeq: 0 };
  const lastSeq = head.task_last_seq ?? head.last_seq;
  if (after >= lastSeq) return { events: [], lastSeq };
  const { eventPage } = store.limits;
  return { events: yield* readEventsAfter(head.no, after, Math.min(limit ?? eventPage, eventPage)), lastSeq };
}

const findHead = query((db, args: { ns: number; id: string }) =>
  db
    .selectFrom("perdure_runs")
    .leftJoin("perdure_tasks", (join) =>
      join.onRef("perdure_tasks.run", "=", "perdure_runs.no").on("perdure_tasks.seq", "=", sql.lit(0)),
    )
    .select([
      "perdure_runs.no",
      "perdure_runs.incarnation",
      "perdure_runs.last_seq",
      "perdure_tasks.last_seq as task_last_seq",
    ])
    .where("perdure_runs.ns", "=", args.ns)
    .where("perdure_runs.id", "=", args.id),
);
