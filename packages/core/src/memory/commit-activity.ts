import type { Millis } from "../model/ids.ts";
import type { ActivityCommit, CommitResult } from "../storage/commit.ts";
import type { Limits } from "../storage/info.ts";
import { deliver } from "./deliver.ts";
import { giveBack } from "./give-back.ts";
import type { ActivityTask, WorkflowTask } from "./records.ts";
import type { Namespace } from "./store.ts";

/** The end of a hand-out of an activity task. */
export function commitActivity(space: Namespace, commit: ActivityCommit, limits: Limits, now: Millis): CommitResult {
  if (lastCommitId(space, commit) === commit.commitId) return ended("duplicate", now);
  const task = space.tasks.owned(commit.claim);
  if (task === undefined || task.kind !== "activity") return { status: "lease-lost" };
  const { next } = commit;
  switch (next.do) {
    case "complete":
      remove(space, task, commit.commitId, limits, now);
      // Whether the run still takes it is the run's affair: the task is over either way.
      deliver(space, next.message, limits, now);
      return ended("ok", now);
    case "retry":
      task.lastCommitId = commit.commitId;
      task.deliveries = 0;
      task.attempt = next.attempt;
      if (next.details !== undefined) task.details = next.details;
      giveBack(space, task, next.at, now);
      return ended("ok", now);
    case "release":
      task.lastCommitId = commit.commitId;
      task.deliveries = 0;
      giveBack(space, task, now, now);
      return ended("ok", now);
    default:
      return next satisfies never;
  }
}

/** The last commit of a task, also of one that is gone because it was completed. */
function lastCommitId(space: Namespace, { claim }: ActivityCommit): string | null | undefined {
  const task = space.tasks.get(claim.taskId);
  if (task !== undefined) return task.kind === "activity" ? task.lastCommitId : null;
  return space.run(claim.runId, claim.incarnation)?.task?.completed.get(claim.taskId)?.commitId;
}

function remove(space: Namespace, task: ActivityTask, commitId: string, limits: Limits, now: Millis): void {
  space.tasks.remove(task);
  const owner = task.run.task;
  if (owner === null) return;
  owner.activities.delete(task.id);
  forgetOld(owner, limits, now);
  owner.completed.set(task.id, { commitId, at: now });
}

function forgetOld({ completed }: WorkflowTask, { dedupeMs }: Limits, now: Millis): void {
  for (const [taskId, { at }] of completed) {
    if (now - at < dedupeMs) return;
    completed.delete(taskId);
  }
}

function ended(status: "ok" | "duplicate", now: Millis): CommitResult {
  return { status, held: false, now, leaseUntil: null, inboxLast: 0, messages: [] };
}
