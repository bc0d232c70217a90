import { loadInheritance } from "../batch/load-inheritance.ts";
import { Execution } from "../engine/execution.ts";
import { workflowBody } from "../engine/workflow-body.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { CachedRun } from "./run-cache.ts";

/** The execution of a claimed run, as of its last commit. */
export interface Loaded {
  readonly execution: Execution;
  /** Somebody else held the run last, and may have executed what is open now. */
  readonly wasElsewhere: boolean;
}

/**
 * Makes a run's code stand where its history ends: by what this worker has kept of it in memory, or by a replay.
 * @throws what the storage or the codec throws when history cannot be read
 */
export async function loadExecution(environment: WorkerEnvironment, task: ClaimedWorkflowTask): Promise<Loaded> {
  const { run, claim, lastSeq } = task;
  const cached = environment.cache.take(claim.taskId);
  if (cached === undefined || !isPartOf(environment, cached, task))
    return { execution: await replayed(environment, task), wasElsewhere: claim.epoch > 1 };
  const { execution } = cached;
  const { runId, incarnation } = run;
  const missed =
    cached.lastSeq < lastSeq ? await environment.access.readAll({ runId, incarnation, after: cached.lastSeq }) : [];
  await execution.replay(missed);
  return { execution, wasElsewhere: missed.length > 0 };
}

/** Whether history goes on from where the run parked here. A storage that lost its last moments may have gone another way since. */
function isPartOf(
  { access }: WorkerEnvironment,
  cached: CachedRun,
  { run, lastSeq, lastCommitId }: ClaimedWorkflowTask,
): boolean {
  if (cached.execution.run.baseSeq !== run.baseSeq) return false;
  if (cached.lastSeq === lastSeq) return cached.lastCommitId === lastCommitId;
  return cached.lastSeq < lastSeq && access.storage.info.capabilities.durability !== "bounded-loss";
}

async function replayed(environment: WorkerEnvironment, task: ClaimedWorkflowTask): Promise<Execution> {
  const { access, registry, codec, logger, runtime, serves } = environment;
  const { run, events } = task;
  const { runId, incarnation, baseSeq } = run;
  const execution = new Execution(run, workflowBody(registry.workflow(run.workflow)!), {
    codec,
    logger,
    settle: runtime.settle,
    random: runtime.random,
    turnTime: () => access.clock.latest(),
    serves,
  });
  const recorded = events ?? (await access.readAll({ runId, incarnation, after: baseSeq }));
  execution.inherit(await loadInheritance(access, codec, run, recorded[0]));
  await execution.replay(recorded);
  return execution;
}
