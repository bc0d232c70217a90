import type { ClaimRequest, Millis, TaskKind } from "@perdure/core/storage";
import { sql } from "kysely";
import type { Lane } from "../lanes.ts";
import { elements, type Query, query } from "../query.ts";
import { each, row, rows, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";
import { isMeantFor } from "./choice.ts";

/** A lane that a request selects, and when its first task can be claimed. */
export interface LaneHead {
  readonly no: number;
  readonly priority: number;
  readonly head: Millis;
}

/**
 * The lanes of a request that hold a task which is or will be ready: one seek for each. Mostly all lanes are known, and nothing has
 * to wait for the question whether there is another one.
 */
export function* laneHeads(turn: Turn, request: ClaimRequest): Steps<LaneHead[]> {
  const known = turn.lanes.all.filter((lane) => isMeantFor(request, lane));
  const heads = yield* each(["known", "new"], String, function* (which) {
    return yield* headsOf(which === "known" ? known : yield* otherLanes(turn, request, known));
  });
  return heads.flat();
}

function* headsOf(lanes: readonly Lane[]): Steps<LaneHead[]> {
  const heads = yield* each(
    lanes,
    ({ no }) => String(no),
    ({ no }) => row(selectHead, { lane: no }),
  );
  return lanes.flatMap(({ no, priority }, at) => {
    const head = heads[at]?.visible_at ?? null;
    return head === null ? [] : [{ no, priority, head }];
  });
}

function* otherLanes(turn: Turn, { queues, kinds, handlers }: ClaimRequest, known: readonly Lane[]): Steps<Lane[]> {
  const numbers = new Set(known.map(({ no }) => no));
  const found = yield* each(kinds, String, function* (kind) {
    const names = kind === "workflow" ? handlers.workflows : handlers.activities;
    if (queues.length === 0 || names.length === 0) return [];
    return yield* rows(selectLanes(queues.length, names.length), { ns: turn.ns, kind, queues, names });
  });
  const others = found.flat().filter(({ no }) => !numbers.has(no));
  for (const lane of others) turn.lanes.learn(lane);
  return others;
}

/** Parked tasks have no such time and stand first in the index: they are jumped over. */
const selectHead = query((db, args: { lane: number }) =>
  db
    .selectFrom("perdure_tasks")
    .select("visible_at")
    .where("lane", "=", args.lane)
    .where("visible_at", ">=", sql.lit(0))
    .orderBy("visible_at")
    .limit(sql.lit(1)),
);

interface LanesArgs {
  ns: number;
  kind: TaskKind;
  queues: readonly string[];
  names: readonly string[];
}

type SelectLanes = Query<LanesArgs, Lane>;

const byShape = new Map<string, SelectLanes>();

/** A worker's lists keep their lengths, so a process needs few of these. */
function selectLanes(queues: number, names: number): SelectLanes {
  const shape = `${queues} ${names}`;
  let select = byShape.get(shape);
  if (select === undefined) {
    select = query((db, args: LanesArgs) =>
      db
        .selectFrom("perdure_lanes")
        .select(["no", "queue", "kind", "name", "priority"])
        .where("ns", "=", args.ns)
        .where("queue", "in", elements(args.queues, queues))
        .where("kind", "=", args.kind)
        .where("name", "in", elements(args.names, names)),
    );
    byShape.set(shape, select);
  }
  return select;
}
