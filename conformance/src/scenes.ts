import type {
  ClaimRequest,
  ClaimedActivityTask,
  ClaimedWorkflowTask,
  NewActivityTask,
  NewRun,
} from "@perdure/core/storage";
import { status } from "./assert.ts";
import type { CaseContext } from "./context.ts";
import type { Worker } from "./worker.ts";

/** A run that a worker holds. */
export interface HeldRun {
  readonly run: NewRun;
  readonly worker: Worker;
  readonly task: ClaimedWorkflowTask;
}

/** A run whose one activity task a worker holds; the run itself is parked at seq 2. */
export interface HeldActivity {
  readonly run: NewRun;
  readonly worker: Worker;
  readonly activity: ClaimedActivityTask;
}

/** Creates a run and claims it. Where others are claimable, `request` selects it. */
export async function heldRun(
  t: CaseContext,
  overrides?: Partial<NewRun>,
  leaseMs = 60_000,
  request?: Partial<ClaimRequest>,
): Promise<HeldRun> {
  const run = await t.create(overrides);
  const worker = t.worker();
  return { run, worker, task: await worker.take({ leaseMs, ...request }) };
}

/** Creates a run whose only activity task is ready, and parks the run without a time. */
export async function scheduledActivity(t: CaseContext, overrides?: Partial<NewActivityTask>): Promise<NewRun> {
  const { run, worker, task } = await heldRun(t);
  await park(t, worker, task, { schedule: [t.make.activity(run, 2, overrides)] });
  return run;
}

/** Creates a run and claims its activity task. */
export async function heldActivity(t: CaseContext, leaseMs = 60_000): Promise<HeldActivity> {
  const run = await scheduledActivity(t);
  const worker = t.worker();
  return { run, worker, activity: await worker.takeActivity({ leaseMs }) };
}

/** Creates a run and brings it to its end, done. */
export async function doneRun(
  t: CaseContext,
  overrides?: Partial<NewRun>,
  request?: Partial<ClaimRequest>,
): Promise<HeldRun> {
  const held = await heldRun(t, overrides, 60_000, request);
  status(await held.worker.commit(t.make.final(held.task)), "ok", "the final commit is applied");
  return held;
}

/** Creates a run, claims it, and parks it without a time. */
export async function parkedRun(
  t: CaseContext,
  overrides?: Partial<NewRun>,
  request?: Partial<ClaimRequest>,
): Promise<HeldRun> {
  const held = await heldRun(t, overrides, 60_000, request);
  await park(t, held.worker, held.task);
  return held;
}

/** Parks a held run. */
export async function park(
  t: CaseContext,
  worker: Worker,
  task: ClaimedWorkflowTask,
  overrides?: Parameters<CaseContext["make"]["turn"]>[1],
): Promise<void> {
  status(await worker.commit(t.make.turn(task, overrides)), "ok", "the parking commit is applied");
}
