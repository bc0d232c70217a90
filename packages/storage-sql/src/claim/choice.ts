import type { ClaimRequest, Millis } from "@perdure/core/storage";
import type { Lane } from "../lanes.ts";
import type { TaskKey, TaskRow } from "../tasks.ts";

/** What one step of priority is worth in waiting time (I27: so nothing starves). */
const PRIORITY_STEP_MS = 10_000;

/** A task that is about to be handed out. */
export interface Choice {
  readonly task: TaskRow;
  /** The worker holds it already and does not know: the answer of that claim was lost. */
  readonly isForgotten: boolean;
}

/** The place of a task in the order of claiming: least first. */
export function rankOf(visibleAt: Millis, priority: number): number {
  return visibleAt - priority * PRIORITY_STEP_MS;
}

/** When a task of this priority is ready that has this rank. */
export function visibleAtOf(rank: number, priority: number): Millis {
  return rank + priority * PRIORITY_STEP_MS;
}

/** Whether the worker serves the lane and has code for what is in it. */
export function isMeantFor({ queues, kinds, handlers }: ClaimRequest, lane: Lane): boolean {
  const names = lane.kind === "workflow" ? handlers.workflows : handlers.activities;
  return queues.includes(lane.queue) && kinds.includes(lane.kind) && names.includes(lane.name);
}

/** Whether a run is past its deadline. */
export function isOverdue(task: TaskRow, now: Millis): boolean {
  return task.seq === 0 && task.deadline_at !== null && task.deadline_at <= now;
}

/** A task's key as one value. */
export function keyOf({ run, seq }: TaskKey): string {
  return `${run}.${seq}`;
}
