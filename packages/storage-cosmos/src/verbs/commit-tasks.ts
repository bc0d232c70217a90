import type { CommitResult, TaskCommit, TaskId } from "@perdure/core/storage";
import { changeRun } from "../change-run.ts";
import type { Store } from "../store.ts";
import { commitActivity } from "./commit-activity.ts";
import { commitWorkflow } from "./commit-workflow.ts";
import { eachRun } from "./each-run.ts";
import type { Outcome } from "./outcome.ts";
import { portions } from "./portions.ts";

/** `commitTasks`: each commit sees what those before it in the batch have written. */
export async function commitTasks(store: Store, commits: readonly TaskCommit[]): Promise<readonly CommitResult[]> {
  const now = store.now();
  return eachRun(
    commits,
    ({ claim }) => claim.runId,
    async (same) => {
      const results: CommitResult[] = [];
      const seen = new Set<TaskId>();
      for (const some of parts(same)) {
        const second = new Set<TaskCommit>();
        for (const commit of some) {
          if (commit.kind === "workflow" && seen.has(commit.claim.taskId)) second.add(commit);
          if (commit.kind === "workflow") seen.add(commit.claim.taskId);
        }
        const isFresh = some.some(({ kind }) => kind === "activity");
        const { answer } = await changeRun(
          store,
          some[0]!.claim.runId,
          now,
          async (work, taken) => {
            const outcomes: Outcome[] = [];
            for (const commit of some) {
              outcomes.push(
                commit.kind === "workflow"
                  ? await commitWorkflow(work, taken, commit, second.has(commit))
                  : await commitActivity(work, taken, commit),
              );
            }
            return outcomes;
          },
          { isFresh },
        );
        for (const outcome of answer) results.push(await outcome());
      }
      for (const [at, { claim }] of same.entries()) store.handed.ended(claim, results[at]!);
      return results;
    },
  );
}

/** A workflow commit is a batch of its own: it may be as large as one can be. */
function parts(commits: readonly TaskCommit[]): readonly (readonly TaskCommit[])[] {
  const found: (readonly TaskCommit[])[] = [];
  let outcomes: TaskCommit[] = [];
  const flush = (): void => {
    found.push(...portions(outcomes, sizeOf));
    outcomes = [];
  };
  for (const commit of commits) {
    if (commit.kind === "activity") outcomes.push(commit);
    else {
      flush();
      found.push([commit]);
    }
  }
  flush();
  return found;
}

function sizeOf(commit: TaskCommit): number {
  if (commit.kind === "workflow") return 0;
  const { next } = commit;
  if (next.do === "complete") return next.message.data.length;
  return next.do === "retry" ? (next.details?.length ?? 0) : 0;
}
