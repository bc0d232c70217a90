import { type ClaimRequest, parseTaskId, type TaskId } from "@perdure/core/storage";
import { lockOrderOf } from "../lock-order.ts";
import { each, type Steps } from "../steps.ts";
import { namedTask, type TaskRow } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { type Choice, isMeantFor, isOverdue, keyOf } from "./choice.ts";
import type { LaneHead } from "./lane-heads.ts";
import { readyTasks } from "./ready-tasks.ts";

/** First the tasks that this instance holds without knowing it, then the ready ones in the order of claiming. */
export function* chooseAny(
  turn: Turn,
  request: ClaimRequest,
  limit: number,
  forgotten: readonly TaskRow[],
  heads: readonly LaneHead[],
): Steps<readonly Choice[]> {
  const choices: Choice[] = [];
  const chosen = new Set<string>();
  for (const task of forgotten) {
    if (choices.length === limit) break;
    const lane = yield* turn.lanes.byNo(task.lane);
    if (!isMeantFor(request, lane) && !(request.overdue && isOverdue(task, turn.now))) continue;
    choices.push({ task, isForgotten: true });
    chosen.add(keyOf(task));
  }
  for (const task of yield* readyTasks(turn, request, heads, limit - choices.length, chosen)) {
    choices.push({ task, isForgotten: false });
  }
  return choices;
}

/** The named ones that nobody else holds: whatever they wait for, blocked or not. */
export function* chooseNamed(
  turn: Turn,
  request: ClaimRequest,
  taskIds: readonly TaskId[],
  limit: number,
): Steps<readonly Choice[]> {
  // What names nothing asks for nothing, alongside of which the time would come.
  if (taskIds.every((taskId) => parseTaskId(taskId) === undefined)) yield* turn.askTime();
  const known = new Set(request.holding);
  const choices = new Map<string, Choice>();
  const tasks = yield* each(taskIds, lockOrderOf, (taskId) => namedTask(turn, taskId));
  for (const [at, task] of tasks.entries()) {
    if (choices.size === limit) break;
    if (task === undefined) continue;
    const isForgotten = task.instance === request.workerInstance && !known.has(taskIds[at]!);
    const isFree = task.instance === null || (task.visible_at ?? 0) <= turn.now;
    if (isFree || isForgotten) choices.set(keyOf(task), { task, isForgotten });
  }
  return [...choices.values()];
}
