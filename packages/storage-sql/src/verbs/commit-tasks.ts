import type { CommitResult, TaskCommit, TaskId } from "@perdure/core/storage";
import { inLockOrder, lockOrderOf } from "../lock-order.ts";
import { each, type Steps } from "../steps.ts";
import { claimedActivity, claimedTask } from "../tasks.ts";
import type { Turn } from "../turn.ts";
import { commitActivity } from "./commit-activity.ts";
import { commitWorkflow } from "./commit-workflow.ts";

/** `commitTasks`: each commit sees what those before it in the batch have written. */
export function* commitTasks(turn: Turn, commits: readonly TaskCommit[]): Steps<readonly CommitResult[]> {
  const runIds = commits.map(({ claim }) => claim.runId);
  return yield* inLockOrder(turn, runIds, applyAll(turn, commits, runIds));
}

function* applyAll(
  turn: Turn,
  commits: readonly TaskCommit[],
  runIds: readonly string[],
): Steps<readonly CommitResult[]> {
  // Those of one run are applied one after the other, in whatever order they stand: all tasks are locked before.
  if (!turn.isExclusive && new Set(runIds).size < runIds.length) yield* lockAll(turn, commits);
  return yield* each(
    inBatch(commits),
    ({ commit }) => commit.claim.runId,
    ({ commit, isSecond }) =>
      commit.kind === "activity" ? commitActivity(turn, commit) : commitWorkflow(turn, commit, isSecond),
  );
}

function* lockAll(turn: Turn, commits: readonly TaskCommit[]): Steps<void> {
  yield* each(
    commits,
    ({ claim }) => lockOrderOf(claim.taskId),
    ({ kind, claim }) => (kind === "activity" ? claimedActivity(turn, claim) : claimedTask(turn, claim)),
  );
}

interface InBatch {
  readonly commit: TaskCommit;
  /** A workflow commit for its task stands before it. */
  readonly isSecond: boolean;
}

/** Looked at in the order of the batch: commits of different runs are applied in another one, and may name the same task. */
function inBatch(commits: readonly TaskCommit[]): readonly InBatch[] {
  const seen = new Set<TaskId>();
  return commits.map((commit) => {
    const { taskId } = commit.claim;
    const isSecond = commit.kind === "workflow" && seen.has(taskId);
    if (commit.kind === "workflow") seen.add(taskId);
    return { commit, isSecond };
  });
}
