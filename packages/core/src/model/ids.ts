/**
 * Epoch milliseconds on the storage's clock, which never goes back within a store: but for a database server's, which is followed
 * where an operator sets it. Leases and due times come later then by as much, and no message is later than the answer with it.
 */
export type Millis = number;

/** Dense, 1-based position of an event in a run's history, for the run's whole life. */
export type Seq = number;

/** Dense, 1-based arrival number of a message in a run's inbox. */
export type InboxNo = number;

declare const taskIdBrand: unique symbol;

/** Names one claimable task. Minted only by {@link workflowTaskId} and {@link activityTaskId}. */
export type TaskId = string & { readonly [taskIdBrand]: true };

/** What a {@link TaskId} says: the run that it belongs to, and for an activity task the seq of its ACTIVITY_SCHEDULED. */
export interface TaskAddress {
  readonly runId: string;
  readonly incarnation: string;
  /** `0` for the workflow task. */
  readonly seq: Seq;
}

/** The id of a run's one workflow task. */
export function workflowTaskId(runId: string, incarnation: string): TaskId {
  return `${incarnation}:${runId}` as TaskId;
}

/** The id of the activity task whose ACTIVITY_SCHEDULED stands at `seq`. */
export function activityTaskId(runId: string, incarnation: string, seq: Seq): TaskId {
  return `${incarnation}.${seq}:${runId}` as TaskId;
}

/**
 * Takes a task id apart, so that a backend can find the partition that holds the task.
 * Answers `undefined` for a text that no function above has minted.
 */
export function parseTaskId(taskId: string): TaskAddress | undefined {
  const match = /^([0-9A-Za-z_-]+)(?:\.([1-9][0-9]*))?:(.+)$/su.exec(taskId);
  if (match === null) return undefined;
  const [, incarnation, seq, runId] = match as unknown as [string, string, string | undefined, string];
  return { runId, incarnation, seq: seq === undefined ? 0 : Number(seq) };
}
