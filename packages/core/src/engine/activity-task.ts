import type { RetryPolicy } from "../model/retry.ts";
import { activityTaskId, type Seq, type TaskId } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { RunHeader } from "../model/run.ts";
import type { NewActivityTask } from "../storage/task.ts";
import type { OpenActivity } from "./open-command.ts";

/** What the worker that executes an activity task has to know of the call. Plain JSON: tools read it without the codec. */
export interface TaskDetails {
  readonly command: number;
  readonly idempotencyKey: string;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
}

/** The task by which another worker executes an activity; `seq` is that of its ACTIVITY_SCHEDULED. */
export function newActivityTask(run: RunHeader, activity: OpenActivity, seq: Seq): NewActivityTask {
  const { retry, timeoutMs, heartbeatTimeoutMs } = activity.settings;
  const details: TaskDetails = {
    command: activity.command,
    idempotencyKey: idempotencyKey(run, activity.command),
    retry,
    timeoutMs,
    heartbeatTimeoutMs,
  };
  return {
    taskId: activityTaskId(run.runId, run.incarnation, seq),
    activity: activity.name,
    queue: queueOf(run, activity),
    priority: run.priority,
    input: activity.input!,
    attempt: activity.attempt,
    readyAt: null,
    details: JSON.stringify(details),
  };
}

/** The tasks of activities whose outcome is not recorded. */
export function openTasks(run: RunHeader, activities: Iterable<OpenActivity>): readonly TaskId[] {
  const { runId, incarnation } = run;
  return [...activities].flatMap(({ task }) => (task === null ? [] : [activityTaskId(runId, incarnation, task)]));
}

/** Where an activity waits for a worker when it goes out as a task. */
export function queueOf(run: RunHeader, activity: Pick<OpenActivity, "queue">): string {
  return activity.queue ?? run.queue;
}

export function readTaskDetails(details: Payload | null): TaskDetails {
  return JSON.parse(details!) as TaskDetails;
}

/** The same for every attempt and every re-execution of a call, wherever it runs. */
export function idempotencyKey(run: RunHeader, command: number): string {
  return `${run.incarnation}-${run.baseSeq}-${command}`;
}
