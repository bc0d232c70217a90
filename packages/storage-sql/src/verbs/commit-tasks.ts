import type { CommitResult, TaskCommit, TaskId } from "@perdure/core/storage";
import { each, type Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";
import { commitActivity } from "./commit-activity.ts";
import { commitWorkflow } from "./commit-workflow.ts";

/** `commitTasks`: each commit sees what those before it in the batch have written. */
export function* commitTasks(turn: Turn, commits: readonly TaskCommit[]): Steps<readonly CommitResult[]> {
  return yield* each(
    inBatch(commits),
    ({ commit }) => commit.claim.runId,
    ({ commit, isSecond }) =>
      commit.kind === "activity" ? commitActivity(turn, commit) : commitWorkflow(turn, commit, isSecond),
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
