import type { ClaimRequest, Millis } from "@perdure/core/storage";
import { sql } from "kysely";
import { query } from "../query.ts";
import { rows, type Steps } from "../steps.ts";
import type { TaskKey } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { type Choice, keyOf } from "./choice.ts";
import type { LaneHead } from "./lane-heads.ts";

/** When the first task of the request that was not chosen is ready. Asked before the chosen ones are leased. */
export function* nextReadyAt(
  turn: Turn,
  request: ClaimRequest,
  heads: readonly LaneHead[],
  choices: readonly Choice[],
  chosen: ReadonlySet<string>,
): Steps<Millis | null> {
  let earliest: Millis | null = null;
  const taken = takenByLane(choices);
  for (const { no, head } of heads) {
    const { first, others } = taken.get(no) ?? NONE;
    const at =
      first + others === 0
        ? head
        : firstFree(yield* rows(selectInLane, { lane: no, offset: first, limit: others + 1 }), chosen);
    earliest = earlier(earliest, at);
  }
  if (request.overdue) {
    const withDeadline = choices.filter(({ task }) => task.deadline_at !== null).length;
    const found = yield* rows(selectWithDeadline, { ns: turn.ns, limit: withDeadline + 1 });
    earliest = earlier(earliest, firstFree(found, chosen));
  }
  return earliest;
}

/** How many of a lane's first tasks were chosen, and how many that stand elsewhere in it: forgotten ones. */
interface Taken {
  first: number;
  others: number;
}

const NONE: Taken = { first: 0, others: 0 };

function takenByLane(choices: readonly Choice[]): ReadonlyMap<number, Taken> {
  const byLane = new Map<number, Taken>();
  for (const { task, isForgotten } of choices) {
    let taken = byLane.get(task.lane);
    if (taken === undefined) byLane.set(task.lane, (taken = { first: 0, others: 0 }));
    if (isForgotten) taken.others += 1;
    else taken.first += 1;
  }
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

const selectInLane = query((db, args: { lane: number; offset: number; limit: number }) =>
  db
    .selectFrom("perdure_tasks")
    .select(["run", "seq", "visible_at as at"])
    .where("lane", "=", args.lane)
    .where("visible_at", ">=", sql.lit(0))
    .orderBy("visible_at")
    .orderBy("run")
    .orderBy("seq")
    .limit(args.limit)
    .offset(args.offset),
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
