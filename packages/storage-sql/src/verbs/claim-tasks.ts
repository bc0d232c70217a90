import {
  activityTaskId,
  type ClaimedTask,
  type ClaimRequest,
  type ClaimResult,
  type Millis,
} from "@perdure/core/storage";
import { type Choice, isMeantFor, keyOf } from "../claim/choice.ts";
import { claimResult } from "../claim/claim-result.ts";
import { claimedWorkflow, readBelongings } from "../claim/claimed-workflow.ts";
import { chooseAny, chooseNamed } from "../claim/choose.ts";
import { forgottenTasks } from "../claim/forgotten-tasks.ts";
import { laneHeads } from "../claim/lane-heads.ts";
import { nextReadyAt } from "../claim/next-ready-at.ts";
import { query } from "../query.ts";
import { each, row, type Steps, together, write } from "../steps.ts";
import type { TaskKey } from "../tasks.ts";
import type { Turn } from "../turn.ts";

/** `claimTasks`: chooses tasks, leases them, and looks how long the others wait. */
export function* claimTasks(turn: Turn, request: ClaimRequest): Steps<ClaimResult> {
  const limit = Math.min(request.limit, turn.limits.claimTasks);
  if (request.taskIds !== undefined) {
    const choices = yield* chooseNamed(turn, request, request.taskIds, limit);
    return claimResult(turn.now, yield* handOutAll(turn, request, choices), null);
  }
  const [forgotten, heads] = yield* together(forgottenTasks(turn, request), laneHeads(turn, request));
  const choices = yield* chooseAny(turn, request, limit, forgotten, heads);
  const [next, tasks] = yield* together(
    nextReadyAt(turn, request, limit, heads, choices),
    handOutAll(turn, request, choices),
  );
  return claimResult(turn.now, tasks, next);
}

function handOutAll(turn: Turn, request: ClaimRequest, choices: readonly Choice[]): Steps<readonly ClaimedTask[]> {
  return each(
    choices,
    ({ task }) => keyOf(task),
    (choice) => handOut(turn, request, choice),
  );
}

/** Leases a task: a new epoch, and one more delivery unless the worker only lost the answer. */
function* handOut(turn: Turn, request: ClaimRequest, { task, isForgotten }: Choice): Steps<ClaimedTask> {
  const { run, seq } = task;
  const { workerId: worker, workerInstance: instance, leaseMs } = request;
  const epoch = task.epoch + 1;
  const deliveries = isForgotten ? task.deliveries : task.deliveries + 1;
  const leaseUntil = turn.now + leaseMs;
  yield* write(leaseTask, { run, seq, epoch, deliveries, leaseUntil, instance, worker });
  const lane = yield* turn.lanes.byNo(task.lane);

  if (seq > 0) {
    const found = (yield* row(findActivity, { run, seq }))!;
    const { runId, incarnation, workflow, input, details, attempt, scheduledAt } = found;
    const taskId = activityTaskId(runId, incarnation, seq);
    turn.numbers.add(run, runId, incarnation);
    return {
      kind: "activity",
      claim: { taskId, runId, incarnation, epoch },
      leaseUntil,
      workflow,
      task: { taskId, activity: lane.name, queue: lane.queue, priority: lane.priority, input, attempt, details },
      scheduledAt,
      deliveries,
    };
  }
  const leased = { ...task, epoch, deliveries, visible_at: leaseUntil };
  const onlyTimeOut = request.taskIds === undefined && !isMeantFor(request, lane);
  return claimedWorkflow(turn, leased, yield* readBelongings(leased, request), onlyTimeOut);
}

const leaseTask = query(
  (db, args: TaskKey & { epoch: number; deliveries: number; leaseUntil: Millis; instance: string; worker: string }) =>
    db
      .updateTable("perdure_tasks")
      .set({
        epoch: args.epoch,
        deliveries: args.deliveries,
        visible_at: args.leaseUntil,
        instance: args.instance,
        worker: args.worker,
      })
      .where("run", "=", args.run)
      .where("seq", "=", args.seq),
);

const findActivity = query((db, args: TaskKey) =>
  db
    .selectFrom("perdure_activities as a")
    .innerJoin("perdure_runs as r", "r.no", "a.run")
    .select([
      "r.id as runId",
      "r.incarnation",
      "r.workflow",
      "a.input",
      "a.details",
      "a.attempt",
      "a.scheduled_at as scheduledAt",
    ])
    .where("a.run", "=", args.run)
    .where("a.seq", "=", args.seq),
);
