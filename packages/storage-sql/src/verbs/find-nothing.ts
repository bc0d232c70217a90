import type { ClaimRequest, ClaimResult, Millis, TaskKind } from "@perdure/core/storage";
import { type Kysely, sql } from "kysely";
import { isMeantFor } from "../claim/choice.ts";
import { forgottenTasks } from "../claim/forgotten-tasks.ts";
import { elements, type Query, query } from "../query.ts";
import type { Tables } from "../schema/tables.ts";
import { row, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";

/** The heads of so many lanes are asked for at one glance. */
const MOST_LANES = 400;

/**
 * The answer to a request that nothing can be handed out for, or undefined: then something may be. Writes nothing, and asks for one
 * row, but where the worker holds tasks: that it may have forgotten some is looked at more closely.
 */
export function* findNothing(turn: Turn, request: ClaimRequest): Steps<ClaimResult | undefined> {
  const { queues, kinds, handlers, overdue, workerInstance: instance } = request;
  const lanes = turn.lanes.all.filter((lane) => isMeantFor(request, lane)).map(({ no }) => no);
  if (request.taskIds !== undefined || lanes.length > MOST_LANES) return undefined;
  const workflows = kinds.includes("workflow") ? handlers.workflows : [];
  const activities = kinds.includes("activity") ? handlers.activities : [];
  const select = selectGlance(lanes.length, queues.length, workflows.length, activities.length);
  const glance = yield* row(select, { ns: turn.ns, instance, lanes, queues, workflows, activities });
  const { now, held, workflow_lanes, activity_lanes, overdue_at, ...heads } = glance!;
  if (now === null) yield* turn.askTime();
  else turn.tell(now);
  if (workflow_lanes + activity_lanes !== lanes.length) return undefined;
  const times = [...Object.values(heads as Record<string, Millis | null>), overdue ? overdue_at : null];
  const earliest = Math.min(...times.filter((at) => at !== null));
  if (earliest <= turn.now) return undefined;
  if (held !== null && (yield* forgottenTasks(turn, request)).length > 0) return undefined;
  return { now: turn.now, tasks: [], nextReadyAt: earliest === Infinity ? null : earliest };
}

/** All that a claim begins with, at one glance; and the heads of the known lanes. */
interface Glance {
  /** Null where it has to be asked apart. */
  readonly now: Millis | null;
  /** Null if this start of the worker holds nothing. */
  readonly held: 1 | null;
  /** How many lanes of each kind the request selects. */
  readonly workflow_lanes: number;
  readonly activity_lanes: number;
  readonly overdue_at: Millis | null;
}

interface GlanceArgs {
  ns: number;
  instance: string;
  /** Those that are known. */
  lanes: readonly number[];
  queues: readonly string[];
  workflows: readonly string[];
  activities: readonly string[];
}

const byShape = new Map<string, Query<GlanceArgs, Glance>>();

/** A worker's lists keep their lengths, so a process needs few of these. */
function selectGlance(lanes: number, queues: number, workflows: number, activities: number): Query<GlanceArgs, Glance> {
  const shape = `${lanes} ${queues} ${workflows} ${activities}`;
  let select = byShape.get(shape);
  if (select === undefined) {
    select = query((db, args: GlanceArgs, { clock = "null" }) => {
      const count = (kind: TaskKind, names: readonly string[]) =>
        queues === 0 || names.length === 0
          ? sql<number>`0`
          : sql<number>`${countLanes(db, kind, args.ns, elements(args.queues, queues), names)}`;
      return db.selectNoFrom([
        sql<Millis | null>`${sql.raw(clock)}`.as("now"),
        firstHeld(db, args).as("held"),
        count("workflow", elements(args.workflows, workflows)).as("workflow_lanes"),
        count("activity", elements(args.activities, activities)).as("activity_lanes"),
        firstOverdue(db, args.ns).as("overdue_at"),
        ...elements(args.lanes, lanes).map((lane, at) => head(db, lane).as(`head_${at}`)),
      ]);
    });
    byShape.set(shape, select);
  }
  return select;
}

function firstHeld(db: Kysely<Tables>, { ns, instance }: GlanceArgs) {
  return db
    .selectFrom("perdure_tasks")
    .select(sql.lit<1>(1).as("one"))
    .where("instance", "=", instance)
    .where("ns", "=", ns)
    .limit(sql.lit(1));
}

function countLanes(
  db: Kysely<Tables>,
  kind: TaskKind,
  ns: number,
  queues: readonly string[],
  names: readonly string[],
) {
  return db
    .selectFrom("perdure_lanes")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("ns", "=", ns)
    .where("queue", "in", queues)
    .where("kind", "=", sql.lit(kind))
    .where("name", "in", names);
}

/** Of a lane that is named, or MySQL would not jump over the parked tasks: they have no such time and stand first in the index. */
function head(db: Kysely<Tables>, lane: number) {
  return db
    .selectFrom("perdure_tasks")
    .select("visible_at")
    .where("lane", "=", lane)
    .where("visible_at", ">=", sql.lit(0))
    .orderBy("visible_at")
    .limit(sql.lit(1));
}

function firstOverdue(db: Kysely<Tables>, ns: number) {
  return db
    .selectFrom("perdure_tasks")
    .select("overdue_at")
    .where("ns", "=", ns)
    .where("deadline_at", "is not", null)
    .where("overdue_at", ">=", sql.lit(0))
    .orderBy("overdue_at")
    .limit(sql.lit(1));
}
