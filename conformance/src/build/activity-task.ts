import { activityTaskId, type NewActivityTask } from "@perdure/core/storage";

/** What names a run through all times. */
export interface RunIdentity {
  readonly runId: string;
  readonly incarnation: string;
}

/** A task of activity `charge` on queue `main` that is ready now. */
export function activityTask(
  { runId, incarnation }: RunIdentity,
  seq: number,
  overrides: Partial<NewActivityTask> = {},
): NewActivityTask {
  return {
    taskId: activityTaskId(runId, incarnation, seq),
    activity: "charge",
    queue: "main",
    priority: 0,
    input: '{"cents":100}',
    attempt: 1,
    readyAt: null,
    details: null,
    ...overrides,
  };
}
