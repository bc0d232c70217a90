import { whoGot } from "../engine/thrown-into-code.ts";

/** One for the process, though there were two copies of this package: the first handler decides for all. */
const WATCHERS = Symbol.for("perdure.rejection-watchers");

type Watchers = Set<(reason: unknown) => boolean>;

/**
 * Keeps a branch of workflow code that nobody awaits from ending the process, and all runs in it, when the engine throws into it (a
 * cancel request, an activity that failed): it is logged, and the run goes on. All other rejections end the process as they do
 * without a worker. Answers how to stop.
 */
export function tolerateFloatingBranches(): () => void {
  const watchers = watchersOfProcess();
  if (watchers.size === 0) process.on("unhandledRejection", decide);
  watchers.add(isFloatingBranch);
  users++;
  return () => {
    if (--users > 0) return;
    watchers.delete(isFloatingBranch);
    if (watchers.size === 0) process.off("unhandledRejection", decide);
  };
}

/** Workers that run in this process. */
let users = 0;

function watchersOfProcess(): Watchers {
  const scope = globalThis as { [WATCHERS]?: Watchers };
  return (scope[WATCHERS] ??= new Set());
}

function decide(reason: unknown): void {
  for (const tolerates of watchersOfProcess()) if (tolerates(reason)) return;
  // Somebody else listens, and decides. Without a listener Node would end the process: so does this.
  if (process.listenerCount("unhandledRejection") === 1) throw reason;
}

function isFloatingBranch(reason: unknown): boolean {
  const thrower = whoGot(reason);
  if (thrower === undefined) return false;
  const { runId, workflow } = thrower.run;
  thrower.environment.logger.warn(
    `A branch of run "${runId}" of workflow "${workflow}" that nobody awaits got an error: ${(reason as Error).message} Await the branch, or catch the error in it.`,
    { code: "floating-branch", workflow, runId, error: reason },
  );
  return true;
}
