import { type Claim, parseTaskId, type TaskAddress, workflowTaskId } from "@perdure/core/storage";
import type { Activity, Head } from "./documents.ts";
import type { RunWork } from "./run-work.ts";

/** Whether a claim is on this run's workflow task, and its epoch the newest, and was not given up (I6). */
export function ownsRun(head: Head, { taskId, epoch, incarnation }: Claim): boolean {
  return (
    head.live !== undefined &&
    head.lease !== null &&
    head.epoch === epoch &&
    head.incarnation === incarnation &&
    taskId === workflowTaskId(head.runId, head.incarnation)
  );
}

/** The activity task of an id, if it is one of this run; also one that was completed or cancelled. */
export async function activityOf(work: RunWork, address: TaskAddress | undefined): Promise<Activity | undefined> {
  const { head } = work;
  if (address === undefined || address.seq === 0 || address.runId !== head.runId) return undefined;
  return address.incarnation === head.incarnation ? work.activity(address.seq) : undefined;
}

/** The activity task that a claim owns. */
export async function ownedActivity(work: RunWork, claim: Claim): Promise<Activity | undefined> {
  const activity =
    claim.incarnation === work.head.incarnation ? await activityOf(work, parseTaskId(claim.taskId)) : undefined;
  if (activity?.lease == null || activity.epoch !== claim.epoch) return undefined;
  return isThere(work.head, activity) ? activity : undefined;
}

/** Whether an activity task is one that its run still has. */
export function isThere(head: Head, { seq, live }: Activity): boolean {
  return live !== undefined && head.live !== undefined && head.activities.includes(seq);
}

/** Whether a claim is on a workflow task. */
export function isOfRun({ taskId }: Pick<Claim, "taskId">): boolean {
  return parseTaskId(taskId)?.seq === 0;
}
