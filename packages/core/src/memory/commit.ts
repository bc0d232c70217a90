import type { Millis, TaskId } from "../model/ids.ts";
import type { CommitResult, TaskCommit } from "../storage/commit.ts";
import type { Limits } from "../storage/info.ts";
import { commitActivity } from "./commit-activity.ts";
import { commitWorkflow } from "./commit-workflow.ts";
import type { Namespace } from "./store.ts";

/** `commitTasks`: each commit sees what those before it in the batch have written. */
export function commitTasks(
  space: Namespace,
  commits: readonly TaskCommit[],
  limits: Limits,
  now: Millis,
): readonly CommitResult[] {
  const seen = new Set<TaskId>();
  return commits.map((commit) => {
    if (commit.kind === "activity") return commitActivity(space, commit, limits, now);
    const isSecond = seen.has(commit.claim.taskId);
    seen.add(commit.claim.taskId);
    return commitWorkflow(space, commit, isSecond, limits, now);
  });
}
