import type { TaskId } from "@perdure/core/storage";
import { activityTaskId, workflowTaskId } from "@perdure/core/storage";

/** The runs of a random sequence: so few that its operations meet. */
export type RunName = "a" | "b" | "c";

/** Where in a run's history an activity task may be scheduled. */
export type ActivitySeq = 2 | 3 | 4;

interface RunTraits {
  readonly runId: string;
  readonly workflow: string;
  readonly queue: string;
  /** Of the workflow task; its activity tasks have the three below it. No two tasks have the same, so the order of claiming is decided. */
  readonly priority: number;
}

/** Their ids differ only in case, and in a trailing blank (I22). */
export const RUNS: Readonly<Record<RunName, RunTraits>> = {
  a: { runId: "run", workflow: "order", queue: "left", priority: 9 },
  b: { runId: "Run", workflow: "order", queue: "right", priority: -3 },
  c: { runId: "run ", workflow: "refund", queue: "left", priority: 3 },
};

export const CACHE_KEYS: Readonly<Record<RunName, string>> = { a: "key", b: "Key", c: "key " };

/** Ids of messages that senders send again. */
export const DEDUPE_IDS = ["message", "message "] as const;

/** One for each place, so that a request can select any tasks of a run. */
export const ACTIVITIES: Readonly<Record<ActivitySeq, string>> = { 2: "charge", 3: "ship", 4: "mail" };

/** A task of a run: the workflow task is 0. */
export interface TaskChoice {
  readonly run: RunName;
  readonly seq: 0 | ActivitySeq;
}

export function taskIdOf({ run, seq }: TaskChoice, incarnation: string): TaskId {
  const { runId } = RUNS[run];
  return seq === 0 ? workflowTaskId(runId, incarnation) : activityTaskId(runId, incarnation, seq);
}
