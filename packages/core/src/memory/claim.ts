import type { Millis, TaskId } from "../model/ids.ts";
import type { Limits } from "../storage/info.ts";
import type { ClaimedTask, ClaimRequest, ClaimResult } from "../storage/task.ts";
import { type Lane, rank } from "./lane.ts";
import type { Task } from "./records.ts";
import type { Namespace } from "./store.ts";
import { eventsOf, headerOf, messagesOf } from "./views.ts";

/** `claimTasks`: chooses the tasks, looks how long the others wait, and only then leases the chosen ones. */
export function claimTasks(space: Namespace, request: ClaimRequest, limits: Limits, now: Millis): ClaimResult {
  const limit = Math.min(request.limit, limits.claimTasks);
  const lanes = lanesOf(space, request);
  const forgotten = forgottenTasks(space, request);
  const chosen =
    request.taskIds === undefined
      ? chooseAny(space, request, lanes, forgotten, limit, now)
      : chooseNamed(space, request.taskIds, forgotten, limit, now);
  const nextReadyAt = earliest(lanes, now);
  return { now, tasks: chosen.map((task) => handOut(space, task, request, forgotten.has(task), now)), nextReadyAt };
}

/** The lanes that the request selects from; that of the runs past their deadline is one of them if it takes those. */
function lanesOf({ tasks }: Namespace, request: ClaimRequest): readonly Lane<Task>[] {
  if (request.taskIds !== undefined) return [];
  return request.overdue ? [...tasks.lanesOf(request), tasks.overdue] : tasks.lanesOf(request);
}

/** Tasks that this start of the worker holds and does not know of: the answer to their claim was lost. */
function forgottenTasks({ tasks }: Namespace, { workerInstance, holding }: ClaimRequest): ReadonlySet<Task> {
  const forgotten = new Set(tasks.heldBy(workerInstance));
  if (forgotten.size === 0) return forgotten;
  const known = new Set<TaskId>(holding);
  for (const task of forgotten) if (known.has(task.id)) forgotten.delete(task);
  return forgotten;
}

/** First the forgotten ones that the request selects, then the ready ones in their order. */
function chooseAny(
  { tasks }: Namespace,
  request: ClaimRequest,
  lanes: readonly Lane<Task>[],
  forgotten: ReadonlySet<Task>,
  limit: number,
  now: Millis,
): Task[] {
  const chosen = [...forgotten].filter((task) => isSelected(request, task, now)).slice(0, limit);
  for (const task of chosen) tasks.show(task, null);
  while (chosen.length < limit) {
    const task = firstOf(lanes, now);
    if (task === undefined) break;
    tasks.show(task, null);
    chosen.push(task);
  }
  return chosen;
}

/** The named ones that nobody else holds, whatever they wait for. */
function chooseNamed(
  { tasks }: Namespace,
  taskIds: readonly TaskId[],
  forgotten: ReadonlySet<Task>,
  limit: number,
  now: Millis,
): Task[] {
  const free = new Set<Task>();
  for (const id of taskIds) {
    const task = tasks.get(id);
    if (task === undefined) continue;
    if (task.lease === null || task.lease.until <= now || forgotten.has(task)) free.add(task);
  }
  return [...free].slice(0, limit);
}

function firstOf(lanes: readonly Lane<Task>[], now: Millis): Task | undefined {
  let first: Task | undefined;
  for (const lane of lanes) {
    const task = lane.first(now);
    if (task !== undefined && (first === undefined || rank(task) < rank(first))) first = task;
  }
  return first;
}

function earliest(lanes: readonly Lane<Task>[], now: Millis): Millis | null {
  let earliestAt: Millis | null = null;
  for (const lane of lanes) {
    const at = lane.nextAt(now);
    if (at !== null && (earliestAt === null || at < earliestAt)) earliestAt = at;
  }
  return earliestAt;
}

function isSelected(request: ClaimRequest, task: Task, now: Millis): boolean {
  const { deadlineAt } = task.run.start;
  const isOverdue = task.kind === "workflow" && deadlineAt !== null && deadlineAt <= now;
  return isKnown(request, task) || (request.overdue && isOverdue);
}

/** Whether the worker serves the task's queue and has code for it. */
function isKnown({ queues, kinds, handlers }: ClaimRequest, task: Task): boolean {
  const names = task.kind === "workflow" ? handlers.workflows : handlers.activities;
  return queues.includes(task.queue) && kinds.includes(task.kind) && names.includes(task.name);
}

/** Leases a task: a new epoch, and one more delivery unless the worker only lost the answer. */
function handOut(space: Namespace, task: Task, request: ClaimRequest, isForgotten: boolean, now: Millis): ClaimedTask {
  const { workerId, workerInstance, leaseMs } = request;
  if (!isForgotten) task.deliveries += 1;
  const leaseUntil = now + leaseMs;
  space.tasks.lease(task, { workerId, workerInstance, until: leaseUntil });
  const { runId, incarnation } = task.run.start;
  const claim = { taskId: task.id, runId, incarnation, epoch: task.epoch };
  const { run, deliveries } = task;
  if (task.kind === "activity") {
    const { id: taskId, name: activity, queue, priority, input, attempt, details, scheduledAt } = task;
    return {
      kind: "activity",
      claim,
      leaseUntil,
      workflow: run.start.workflow,
      task: { taskId, activity, queue, priority, input, attempt, details },
      scheduledAt,
      deliveries,
    };
  }
  const newEvents = run.events.length - run.baseSeq;
  return {
    kind: "workflow",
    claim,
    leaseUntil,
    run: headerOf(run),
    lastSeq: run.events.length,
    lastCommitId: run.lastCommitId,
    deliveries,
    closed: run.status !== "open",
    blocked: task.blocked,
    onlyTimeOut: request.taskIds === undefined && !isKnown(request, task),
    inboxAcked: task.inboxAcked,
    messages: messagesOf(task),
    events: newEvents <= request.inlineEvents ? eventsOf(run, run.baseSeq, newEvents) : null,
  };
}
