import {
  activityTaskId,
  checkCommit,
  type CommitResult,
  type InvalidCommitCode,
  type NewActivityTask,
  type NextStep,
  parseTaskId,
  type WorkflowCommit,
} from "@perdure/core/storage";
import type { Activity, Frame, Head } from "../documents.ts";
import { activityId, attributeKey, frameId, laneOf } from "../ids.ts";
import { INLINE, INLINE_OF_MANY } from "../inline.ts";
import { LIMITS } from "../info.ts";
import { ownsRun } from "../owned.ts";
import type { RunWork } from "../run-work.ts";
import { readMessages } from "../run-views.ts";
import { jsonBytes } from "../texts.ts";
import { giveBack, seen, show } from "../times.ts";
import type { Outcome } from "./outcome.ts";

/** A frame that a claim may bring along. */
const SMALL_FRAME = 60_000;
const RECENT = 20;
/** So many texts may stay in their documents. */
const FEW = 50;

/** One turn of a run. All checks come first, in the order of {@link CommitResult}; then everything is drawn up. */
export async function commitWorkflow(
  work: RunWork | undefined,
  taken: ReadonlySet<string>,
  commit: WorkflowCommit,
  isSecond: boolean,
): Promise<Outcome> {
  const { claim } = commit;
  if (work === undefined || work.head.incarnation !== claim.incarnation) return answer({ status: "lease-lost" });
  const { head, partition } = work;
  if (head.lastCommitId === commit.commitId) return stateAfter(work, commit, "duplicate");
  if (!ownsRun(head, claim)) return answer({ status: "lease-lost" });
  const code = isSecond ? "second-commit-in-batch" : (checkCommit(commit, LIMITS) ?? checkAgainst(head, commit));
  if (code !== undefined) return answer({ status: "invalid", code });
  if (commit.expectedSeq !== head.lastSeq) return answer({ status: "conflict", lastSeq: head.lastSeq });
  if (commit.close !== undefined && commit.close.discardUnread !== true && head.inboxLast > commit.ackInbox) {
    const last = head.inboxLast;
    return async () => ({ status: "unread", messages: await readMessages(partition, commit.ackInbox, last) });
  }

  work.changeHead();
  writeHistory(work, commit);
  head.inboxAcked = commit.ackInbox;
  for (const task of commit.schedule ?? []) await schedule(work, taken, task);
  cancel(work, commit);
  close(work, commit);
  step(work, commit.next);
  return stateAfter(work, commit, "ok");
}

/** Rules whose breach only the task shows. */
function checkAgainst(head: Head, commit: WorkflowCommit): InvalidCommitCode | undefined {
  const isClosed = head.status !== "open";
  if (commit.close !== undefined && isClosed) return "close-twice";
  if (commit.next.do === "done" && commit.close === undefined && !isClosed) return "done-without-close";
  if (commit.ackInbox < head.inboxAcked || commit.ackInbox > head.inboxLast) return "ack-out-of-range";
  return undefined;
}

function writeHistory(work: RunWork, { commitId, events, run: fields, schedule: tasks = [] }: WorkflowCommit): void {
  const { head, partition, texts } = work;
  head.lastCommitId = commitId;
  if (events.length > 0) {
    const first = head.lastSeq + 1;
    const most = events.length + tasks.length > FEW ? INLINE_OF_MANY : INLINE;
    const stored = events.map(({ type, command, at, data }) => ({ type, command, at, data: texts.write(data, most) }));
    const last = head.lastSeq + events.length;
    const frame: Frame = { id: frameId(first), pk: partition.key, t: "frame", first, last, events: stored };
    work.create(frame);
    head.lastSeq = last;
    // What a claim brings along is everything after the base, or nothing.
    head.recent = jsonBytes(frame) <= SMALL_FRAME ? [...head.recent, first].slice(-RECENT) : [];
  }
  if (fields?.state !== undefined) head.state = work.headText(head.state, fields.state);
  if (fields?.attributes !== undefined) {
    head.attributes = { ...fields.attributes };
    head.attrs = Object.entries(fields.attributes).map(([name, value]) => attributeKey(name, value));
  }
  if (fields?.baseSeq !== undefined) head.baseSeq = fields.baseSeq;
}

/** A task whose id is there already, or was completed, is left as it is. */
async function schedule(work: RunWork, taken: ReadonlySet<string>, task: NewActivityTask): Promise<void> {
  const { head, now, partition, texts } = work;
  const { seq } = parseTaskId(task.taskId)!;
  const id = activityId(seq);
  if (taken.has(id) || work.creates(id) || head.activities.includes(seq)) return;
  const most = INLINE_OF_MANY;
  const activity: Activity = {
    id,
    pk: partition.key,
    t: "activity",
    w: "",
    live: head.ns,
    lane: laneOf("activity", task.queue, task.activity),
    kind: "activity",
    seq,
    runId: head.runId,
    incarnation: head.incarnation,
    workflow: head.workflow,
    activity: task.activity,
    queue: task.queue,
    priority: task.priority,
    input: texts.write(task.input, most),
    details: texts.writeOrNull(task.details, most),
    attempt: task.attempt,
    scheduledAt: now,
    readyAt: task.readyAt ?? now,
    epoch: 0,
    lease: null,
    deliveries: 0,
    lastCommitId: null,
  };
  show(activity, seen(task.readyAt ?? now, now));
  work.create(activity);
  head.activities = [...head.activities, seq];
  work.hints.push({ of: "queue", queue: task.queue });
}

/** Only tasks of this run: any other id is unknown here. */
function cancel(work: RunWork, { cancel: taskIds = [] }: WorkflowCommit): void {
  const { runId, incarnation, activities } = work.head;
  const seqs = taskIds.map((taskId) => parseTaskId(taskId)).map((address) => address?.seq ?? 0);
  const here = seqs.filter(
    (seq, at) => activities.includes(seq) && taskIds[at] === activityTaskId(runId, incarnation, seq),
  );
  if (here.length > 0) work.removeActivities(here);
}

function close(work: RunWork, { close: end }: WorkflowCommit): void {
  if (end === undefined) return;
  const { head, now } = work;
  head.status = end.status;
  head.closedAt = now;
  head.output = work.headText(null, end.output);
  head.failure = work.headText(null, end.failure);
  head.discarded = head.inboxLast - head.inboxAcked;
  head.inboxAcked = head.inboxLast;
  work.hints.push({ of: "closed", runId: head.runId });
}

/** What becomes of the task. All but `hold` end the claim. */
function step(work: RunWork, next: NextStep): void {
  const { head, now } = work;
  head.blocked = work.headText(head.blocked, next.do === "block" ? next.reason : null);
  head.isBlocked = next.do === "block";
  if (next.do !== "block") head.deliveries = 0;
  switch (next.do) {
    case "hold":
      return;
    case "park": {
      // I11: decided in the same write as the park.
      const isUnread = head.inboxLast > head.inboxAcked;
      giveBack(head, isUnread ? Math.min(next.wakeAt ?? now, now) : next.wakeAt, now);
      break;
    }
    case "block":
      giveBack(head, next.until, now);
      break;
    case "done":
      work.removeActivities(head.activities);
      giveBack(head, null, now);
      delete head.live;
      return;
    default:
      next satisfies never;
  }
  if (head.readyAt !== null && head.readyAt <= now) work.hints.push({ of: "queue", queue: head.queue });
}

/** What a holder needs to know next; the same for a commit that was applied before. */
function stateAfter(work: RunWork, { claim }: WorkflowCommit, status: "ok" | "duplicate"): Outcome {
  const { head, now, partition } = work;
  const { inboxAcked, live, lease } = head;
  const inboxLast = live === undefined ? 0 : head.inboxLast;
  if (lease === null || !ownsRun(head, claim))
    return answer({ status, held: false, now, leaseUntil: null, inboxLast, messages: [] });
  const leaseUntil = lease.until;
  return async () => ({
    status,
    held: true,
    now,
    leaseUntil,
    inboxLast,
    messages: await readMessages(partition, inboxAcked, inboxLast),
  });
}

function answer(result: CommitResult): Outcome {
  return async () => result;
}
