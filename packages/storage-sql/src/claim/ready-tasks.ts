import type { ClaimRequest, Millis } from "@perdure/core/storage";
import { query } from "../query.ts";
import { rows, type Steps, together } from "../steps.ts";
import { TASK_COLUMNS, type TaskRow } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { keyOf, rankOf, visibleAtOf } from "./choice.ts";
import type { LaneHead } from "./lane-heads.ts";

/** So many overdue runs are ranked among one another; more are taken in the order of their deadlines. */
const OVERDUE_AT_ONCE = 1000;

/** Among how many tasks free ones are looked for, where a number has to be given: beside those that other claims have just locked. */
function amongOf(limit: number): number {
  return 4 * limit + 100;
}

interface Ready {
  readonly task: TaskRow;
  readonly rank: number;
}

/** The first ready tasks over several lanes. Those of each lane are a prefix of it. */
export function* readyTasks(
  turn: Turn,
  request: ClaimRequest,
  heads: readonly LaneHead[],
  limit: number,
  chosen: ReadonlySet<string>,
): Steps<readonly TaskRow[]> {
  if (limit === 0) return [];
  const inLanes = readyInLanes(turn, heads, limit, chosen);
  const ready = request.overdue
    ? merge(yield* together(inLanes, overdueTasks(turn, limit, chosen)), limit)
    : yield* inLanes;
  return ready.map(({ task }) => task);
}

/** Lane by lane, as each may say that the next need not be read. */
function* readyInLanes(
  turn: Turn,
  heads: readonly LaneHead[],
  limit: number,
  chosen: ReadonlySet<string>,
): Steps<readonly Ready[]> {
  let ready: readonly Ready[] = [];
  for (const { no, priority, head } of ripest(heads, turn.now)) {
    // What would come after the end of a full list is not even read.
    const last = ready.length < limit ? Infinity : ready[limit - 1]!.rank;
    if (rankOf(head, priority) > last) break;
    const before = Math.min(turn.now, visibleAtOf(last, priority));
    const atOnce = limit + chosen.size;
    const found = yield* turn.locked(rows(selectReady, { lane: no, before, limit: atOnce, among: amongOf(atOnce) }));
    ready = merge([ready, rankAll(found, priority, chosen)], limit);
  }
  return ready;
}

function ripest(heads: readonly LaneHead[], now: Millis): readonly LaneHead[] {
  return heads
    .filter(({ head }) => head <= now)
    .toSorted((a, b) => rankOf(a.head, a.priority) - rankOf(b.head, b.priority));
}

/** Tasks past their deadline, on any queue and of any name. */
function* overdueTasks(turn: Turn, limit: number, chosen: ReadonlySet<string>): Steps<readonly Ready[]> {
  const overdue: Ready[] = [];
  const atOnce = Math.max(limit, OVERDUE_AT_ONCE) + chosen.size;
  const { ns, now } = turn;
  for (const task of yield* turn.locked(rows(selectOverdue, { ns, now, limit: atOnce, among: amongOf(atOnce) }))) {
    const { priority } = yield* turn.lanes.byNo(task.lane);
    overdue.push(...rankAll([task], priority, chosen));
  }
  return overdue;
}

function rankAll(tasks: readonly TaskRow[], priority: number, known: ReadonlySet<string>): Ready[] {
  const fresh = known.size === 0 ? tasks : tasks.filter((task) => !known.has(keyOf(task)));
  return fresh.map((task) => ({ task, rank: rankOf(task.visible_at ?? 0, priority) }));
}

/** The first ones of both, each once. */
function merge([some, others]: readonly [readonly Ready[], readonly Ready[]], limit: number): readonly Ready[] {
  if (others.length === 0) return some;
  const known = new Set(some.map(({ task }) => keyOf(task)));
  const fresh = others.filter(({ task }) => !known.has(keyOf(task)));
  return [...some, ...fresh].toSorted((a, b) => a.rank - b.rank).slice(0, limit);
}

const selectReady = query((db, args: { lane: number; before: Millis; limit: number; among: number }, dialect) =>
  dialect.lockFree(
    db
      .selectFrom("perdure_tasks")
      .select(TASK_COLUMNS)
      .where("lane", "=", args.lane)
      .where("visible_at", "<=", args.before)
      .orderBy("visible_at")
      .limit(args.limit),
    args.among,
  ),
);

const selectOverdue = query((db, args: { ns: number; now: Millis; limit: number; among: number }, dialect) =>
  dialect.lockFree(
    db
      .selectFrom("perdure_tasks")
      .select(TASK_COLUMNS)
      .where("ns", "=", args.ns)
      .where("deadline_at", "is not", null)
      .where("overdue_at", "<=", args.now)
      .orderBy("overdue_at")
      .limit(args.limit),
    args.among,
  ),
);
