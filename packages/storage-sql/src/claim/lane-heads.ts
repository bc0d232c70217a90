import type { ClaimRequest, Millis, TaskKind } from "@perdure/core/storage";
import { sql } from "kysely";
import { elements, type Query, query } from "../query.ts";
import { rows, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";

/** A lane that a request selects, and when its first task can be claimed. */
export interface LaneHead {
  readonly no: number;
  readonly priority: number;
  readonly head: Millis;
}

/** The lanes of a request that hold a task which is or will be ready: one seek for each. */
export function* laneHeads(turn: Turn, { queues, kinds, handlers }: ClaimRequest): Steps<LaneHead[]> {
  const heads: LaneHead[] = [];
  for (const kind of kinds) {
    const names = kind === "workflow" ? handlers.workflows : handlers.activities;
    if (queues.length === 0 || names.length === 0) continue;
    const select = selectHeads(queues.length, names.length);
    for (const { no, priority, head } of yield* rows(select, { ns: turn.ns, kind, queues, names })) {
      if (head !== null) heads.push({ no, priority, head });
    }
  }
  return heads;
}

interface HeadsArgs {
  ns: number;
  kind: TaskKind;
  queues: readonly string[];
  names: readonly string[];
}

type SelectHeads = Query<HeadsArgs, { no: number; priority: number; head: Millis | null }>;

const byShape = new Map<string, SelectHeads>();

/** A worker's lists keep their lengths, so a process needs few of these. */
function selectHeads(queues: number, names: number): SelectHeads {
  const shape = `${queues} ${names}`;
  let select = byShape.get(shape);
  if (select === undefined) {
    select = query((db, args: HeadsArgs) =>
      db
        .selectFrom("perdure_lanes as l")
        .select(["l.no", "l.priority"])
        .select((eb) =>
          eb
            .selectFrom("perdure_tasks as t")
            .whereRef("t.lane", "=", "l.no")
            // Parked tasks have no such time and stand first in the index: they are jumped over.
            .where("t.visible_at", ">=", sql.lit(0))
            .select((inner) => inner.fn.min("t.visible_at").as("head"))
            .as("head"),
        )
        .where("l.ns", "=", args.ns)
        .where("l.queue", "in", elements(args.queues, queues))
        .where("l.kind", "=", args.kind)
        .where("l.name", "in", elements(args.names, names)),
    );
    byShape.set(shape, select);
  }
  return select;
}
