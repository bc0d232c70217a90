import { type ActivityCommit, type CommitResult, parseTaskId } from "@perdure/core/storage";
import type { Activity } from "../documents.ts";
import { accept } from "../inbox.ts";
import { INLINE } from "../inline.ts";
import { activityOf, ownedActivity } from "../owned.ts";
import type { RunWork } from "../run-work.ts";
import { giveBack, show } from "../times.ts";
import type { Outcome } from "./outcome.ts";

/** The end of a hand-out of an activity task. */
export async function commitActivity(
  work: RunWork | undefined,
  taken: ReadonlySet<string>,
  commit: ActivityCommit,
): Promise<Outcome> {
  if (work === undefined) return lost;
  const { claim, next, commitId } = commit;
  const known =
    claim.incarnation === work.head.incarnation ? await activityOf(work, parseTaskId(claim.taskId)) : undefined;
  if (known?.lastCommitId === commitId && work.head.live !== undefined) return ended("duplicate", work);
  const activity = await ownedActivity(work, claim);
  if (activity === undefined) return lost;
  activity.lastCommitId = commitId;
  activity.deliveries = 0;
  work.changeActivity(activity);
  switch (next.do) {
    case "complete":
      complete(work, activity);
      // Whether the run still takes it is the run's affair: the task is over either way.
      await accept(work, taken, next.message);
      return ended("ok", work);
    case "retry":
      activity.attempt = next.attempt;
      if (next.details !== undefined) activity.details = work.texts.write(next.details, INLINE);
      giveBack(activity, next.at, work.now);
      break;
    case "release":
      giveBack(activity, work.now, work.now);
      break;
    default:
      return next satisfies never;
  }
  if (activity.readyAt !== null && activity.readyAt <= work.now)
    work.hints.push({ of: "queue", queue: activity.queue });
  return ended("ok", work);
}

/** It stays as what its commit is known by, until the run is purged. */
function complete(work: RunWork, activity: Activity): void {
  const { head } = work;
  activity.lease = null;
  delete activity.live;
  delete activity.holder;
  show(activity, null);
  head.activities = head.activities.filter((seq) => seq !== activity.seq);
  work.changeHead();
}

async function lost(): Promise<CommitResult> {
  return { status: "lease-lost" };
}

function ended(status: "ok" | "duplicate", { now }: RunWork): Outcome {
  return async () => ({ status, held: false, now, leaseUntil: null, inboxLast: 0, messages: [] });
}
