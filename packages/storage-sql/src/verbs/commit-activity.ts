import type { ActivityCommit, CommitResult, Millis } from "@perdure/core/storage";
import { query } from "../query.ts";
import { change, row, type Steps } from "../steps.ts";
import { claimedTask, deleteTask, owns, type TaskKey, type TaskRow } from "../tasks.ts";
import { type Turn, wake } from "../turn.ts";
import { deliver } from "./deliver.ts";

/** The end of a hand-out of an activity task. */
export function* commitActivity(turn: Turn, { claim, commitId, next }: ActivityCommit): Steps<CommitResult> {
  const task = yield* claimedTask(turn, claim);
  if (task === undefined) return yield* commitWithoutTask(turn, claim.taskId, claim.runId, claim.incarnation, commitId);
  if (task.seq === 0) return { status: "lease-lost" };
  if (task.commit_id === commitId) return ended(turn, "duplicate");
  if (!owns(claim, task)) return { status: "lease-lost" };
  const { run, seq } = task;
  switch (next.do) {
    case "complete":
      yield* change(deleteTask, { run, seq });
      yield* change(completeActivity, { run, seq, commitId });
      // Whether the run still takes it is the run's affair: the task is over either way.
      yield* deliver(turn, next.message);
      return ended(turn, "ok");
    case "retry":
      yield* change(retryActivity, { run, seq, attempt: next.attempt, details: next.details ?? null });
      yield* giveBack(turn, task, commitId, next.at);
      return ended(turn, "ok");
    case "release":
      yield* giveBack(turn, task, commitId, turn.now);
      return ended(turn, "ok");
    default:
      return next satisfies never;
  }
}
