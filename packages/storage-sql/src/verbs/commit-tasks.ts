import type { CommitResult, TaskCommit, TaskId } from "@perdure/core/storage";
import type { Steps } from "../steps.ts";
import type { Turn } from "../turn.ts";
import { commitActivity } from "./commit-activity.ts";
import { commitWorkflow } from "./commit-workflow.ts";

/** `commitTasks`: each commit sees what those before it in the batch have written. */
export function* commitTasks(turn: Turn, commits: readonly TaskCommit[]): Steps<readonly CommitResult[]> {
  const seen = new Set<TaskId>();
  const results: CommitResult[] = [];
  for (const commit of commits) {
    if (commit.kind === "activity") {
      results.push(yield* commitActivity(turn, commit));
    } else {
      const isSecond = seen.has(commit.claim.taskId);
      seen.add(commit.claim.taskId);
      results.push(yield* commitWorkflow(turn, commit, isSecond));
    }
  }
  return results;
}
