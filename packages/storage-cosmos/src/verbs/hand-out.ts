import {
  type ClaimedTask,
  type ClaimRequest,
  copyHeader,
  type Millis,
  parseTaskId,
  type TaskId,
  workflowTaskId,
} from "@perdure/core/storage";
import { type Along, changeRun } from "../change-run.ts";
import type { Activity, Head } from "../documents.ts";
import { activityId } from "../ids.ts";
import { isThere } from "../owned.ts";
import { eventsOf, messageIds, readFrames, readMessages, recentFrames } from "../run-views.ts";
import type { RunWork } from "../run-work.ts";
import type { Store } from "../store.ts";
import { horizonOf, leaseUntil } from "../times.ts";
import type { Candidate } from "./find-candidates.ts";

export interface HandOutOptions {
  /** What the worker has code for. */
  readonly lanes: ReadonlySet<string>;
  /** Its time must have come; else it is enough that nobody holds it. */
  readonly mustBeReady: boolean;
  readonly now: Millis;
  /** As a query has found it. */
  readonly candidate?: Candidate;
}

/** Of a batch that claims: messages and frames that it reads along. */
const MOST_ALONG = 40;

type Handed = (along: Along) => Promise<ClaimedTask>;

/** Claims one task, if it still can be: a new epoch, and one more delivery unless the worker only lost the answer. */
export async function handOut(
  store: Store,
  request: ClaimRequest,
  runId: string,
  taskId: TaskId,
  options: HandOutOptions,
): Promise<ClaimedTask | undefined> {
  const { seq } = parseTaskId(taskId)!;
  const { candidate } = options;
  const decide = async (work: RunWork | undefined): Promise<Handed | undefined> => {
    if (work === undefined) return undefined;
    if (seq === 0)
      return workflowTaskId(work.head.runId, work.head.incarnation) === taskId
        ? handOutRun(work, request, options)
        : undefined;
    const activity = parseTaskId(taskId)!.incarnation === work.head.incarnation ? await work.activity(seq) : undefined;
    if (activity === undefined) return undefined;
    return isThere(work.head, activity) ? handOutActivity(work, activity, request, options) : undefined;
  };
  const known = candidate?.t === "head" ? { candidate: { head: candidate, etag: candidate["_etag"] } } : {};
  const { answer, along } = await changeRun(store, runId, options.now, decide, { ...known, isFresh: seq !== 0 });
  if (answer === undefined && candidate?.t === "activity") await removeGarbage(store, runId, candidate);
  return answer?.(along);
}

function isClaimable(
  task: Head | Activity,
  work: RunWork,
  { workerInstance, holding }: ClaimRequest,
  { mustBeReady }: HandOutOptions,
  taskId: TaskId,
): "no" | "yes" | "forgotten" {
  if (task.live === undefined) return "no";
  if (task.lease?.workerInstance === workerInstance && !holding.includes(taskId)) return "forgotten";
  if (mustBeReady) return task.visibleAt !== undefined && task.visibleAt <= horizonOf(work.now) ? "yes" : "no";
  return task.lease === null || (task.visibleAt ?? 0) <= horizonOf(work.now) ? "yes" : "no";
}

function handOutRun(work: RunWork, request: ClaimRequest, options: HandOutOptions): Handed | undefined {
  const { head, now, partition } = work;
  const taskId = workflowTaskId(head.runId, head.incarnation);
  const claimable = isClaimable(head, work, request, options, taskId);
  if (claimable === "no") return undefined;
  work.changeHead();
  const until = lease(head, request, claimable === "forgotten", now);
  const { runId, incarnation, epoch, inboxAcked, inboxLast, baseSeq, lastSeq } = head;
  const isInline = lastSeq - baseSeq <= request.inlineEvents;
  const frames = isInline ? recentFrames(head, baseSeq) : [];
  work.reads.push(...[...messageIds(inboxAcked, inboxLast), ...(frames ?? [])].slice(0, MOST_ALONG));
  return async (along) => {
    const messages = await readMessages(partition, inboxAcked, inboxLast, along);
    const [input, blocked] = await partition.texts([head.input, head.blocked]);
    const found = frames && (await readFrames(partition, frames, along));
    return {
      kind: "workflow",
      claim: { taskId, runId, incarnation, epoch },
      leaseUntil: until,
      run: copyHeader({ ...head, input: input! }, { createdAt: head.createdAt, baseSeq }),
      lastSeq,
      lastCommitId: head.lastCommitId,
      deliveries: head.deliveries,
      closed: head.status !== "open",
      blocked: blocked!,
      onlyTimeOut: options.mustBeReady && !options.lanes.has(head.lane),
      inboxAcked,
      messages,
      events: isInline && found !== undefined ? await eventsOf(partition, found, baseSeq, lastSeq) : null,
    };
  };
}

function handOutActivity(
  work: RunWork,
  activity: Activity,
  request: ClaimRequest,
  options: HandOutOptions,
): Handed | undefined {
  const { now, partition } = work;
  const { runId, incarnation, seq } = activity;
  const taskId = `${incarnation}.${seq}:${runId}` as TaskId;
  const claimable = isClaimable(activity, work, request, options, taskId);
  if (claimable === "no") return undefined;
  work.changeActivity(activity);
  const until = lease(activity, request, claimable === "forgotten", now);
  const { epoch, deliveries, queue, priority, attempt, workflow, scheduledAt } = activity;
  return async () => {
    const [input, details] = await partition.texts([activity.input, activity.details]);
    return {
      kind: "activity",
      claim: { taskId, runId, incarnation, epoch },
      leaseUntil: until,
      workflow,
      task: { taskId, activity: activity.activity, queue, priority, input: input!, attempt, details: details! },
      scheduledAt,
      deliveries,
    };
  };
}

function lease(task: Head | Activity, request: ClaimRequest, isForgotten: boolean, now: number): number {
  const { workerId, workerInstance, leaseMs } = request;
  task.epoch += 1;
  if (!isForgotten) task.deliveries += 1;
  leaseUntil(task, { workerId, workerInstance, until: now + leaseMs });
  return now + leaseMs;
}

/** An activity task that its run does not have any more: a cancel or an end left it, as it did not fit into their batch. */
async function removeGarbage(store: Store, runId: string, { seq, incarnation }: Activity): Promise<void> {
  const partition = store.run(runId);
  const [head, activity] = await partition.readAll<Head | Activity>(["head", activityId(seq)]);
  if (activity?.document.live === undefined) return;
  const isOwn = head?.document.t === "head" && head.document.incarnation === incarnation;
  if (isOwn && isThere(head.document as Head, activity.document as Activity)) return;
  await partition.deleteAll([activityId(seq)]);
}
