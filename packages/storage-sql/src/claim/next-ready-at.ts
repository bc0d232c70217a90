import type { ClaimRequest, Millis } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { each, rows, type Steps, together } from "../steps.ts";
import type { TaskKey } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { type Choice, keyOf } from "./choice.ts";
import type { LaneHead } from "./lane-heads.ts";

/** How soon to look again for a task that is ready, but locked by somebody: by a transaction of a user's, it may be for long. */
const LOCKED_MS = 20;

/** When the first task of the request that was not chosen is ready, whether or not the chosen ones have been leased by now. */
export function* nextReadyAt(
  turn: Turn,
  request: ClaimRequest,
  limit: number,
  heads: readonly LaneHead[],
  choices: readonly Choice[],
): Steps<Millis | null> {
  const chosen = new Set(choices.map(({ task }) => keyOf(task)));
  const inLanes = firstInLanes(heads, choices, chosen);
  const next = request.overdue
    ? (yield* together(inLanes, firstWithDeadline(turn, choices, chosen))).reduce(earlier)
    : yield* inLanes;
  const isPassedOver = next !== null && next <= turn.now && choices.length < limit;
  return isPassedOver ? turn.now + LOCKED_MS : next;
}

function* firstInLanes(
  heads: readonly LaneHead[],
  choices: readonly Choice[],
  chosen: ReadonlySet<string>,
): Steps<Millis | null> {
  const taken = takenByLane(choices);
  const byLane = yield* each(
    heads,
    ({ no }) => String(no),
    function* ({ no, head }) {
      const count = taken.get(no) ?? 0;
      if (count === 0) return head;
      return firstFree(yield* rows(selectInLane, { lane: no, limit: count + 1 }), chosen);
    },
  );
  return byLane.reduce(earlier, null);
}

function* firstWithDeadline(
  { ns }: Turn,
  choices: readonly Choice[],
  chosen: ReadonlySet<string>,
): Steps<Millis | null> {
  const count = choices.filter(({ task }) => task.deadline_at !== null).length;
  return firstFree(yield* rows(selectWithDeadline, { ns, limit: count + 1 }), chosen);
}

/** How many of each lane were chosen: not always its first ones, where those that somebody locks are passed over. */
function takenByLane(choices: readonly Choice[]): ReadonlyMap<number, number> {
  const byLane = new Map<number, number>();
  for (const { task } of choices) byLane.set(task.lane, (byLane.get(task.lane) ?? 0) + 1);
  return byLane;
}

function firstFree(
  found: readonly (TaskKey & { readonly at: Millis | null })[],
  chosen: ReadonlySet<string>,
): Millis | null {
  return found.find((task) => !chosen.has(keyOf(task)))?.at ?? null;
}

function earlier(some: Millis | null, other: Millis | null): Millis | null {
  if (some === null || other === null) return some ?? other;
  return Math.min(some, other);
}

const selectInLane = query((db, args: { lane: number; limit: number }) =>
  db
    .selectFrom("perdure_tasks")
    .select(["run", "seq", "visible_at as at"])
    .where("lane", "=", args.lane)
    .where("visible_at", ">=", sql.lit(0))
    .orderBy("visible_at")
    .limit(args.limit),
);

const selectWithDeadline = query((db, args: { ns: number; limit: number }) =>
  db
    .selectFrom("perdure_tasks")
    .select(["run", "seq", "overdue_at as at"])
    .where("ns", "=", args.ns)
    .where("deadline_at", "is not", null)
    .where("overdue_at", ">=", sql.lit(0))
    .orderBy("overdue_at")
    .limit(args.limit),
);
