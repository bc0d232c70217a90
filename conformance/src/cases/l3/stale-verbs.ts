import type { ClaimedActivityTask, ClaimedWorkflowTask } from "@perdure/core/storage";
import type { CaseContext } from "../../context.ts";
import type { Worker } from "../../worker.ts";

/** One way to write under a claim; answers with the status of the answer. */
type StaleVerb<Task> = (t: CaseContext, worker: Worker, task: Task) => Promise<string>;

async function checkpoint(
  t: CaseContext,
  worker: Worker,
  { claim }: ClaimedWorkflowTask | ClaimedActivityTask,
): Promise<string> {
  const entry = t.make.cacheEntry({ key: `late-${claim.taskId.slice(0, 60)}`, mode: "replace", owner: claim });
  const [answer] = await worker.backend.writeCache([entry]);
  const [written] = await worker.backend.readCache([entry.key]);
  return written === undefined ? answer!.status : "written all the same";
}

const renewal: StaleVerb<ClaimedWorkflowTask | ClaimedActivityTask> = async (_, worker, task) =>
  (await worker.renew(task, 900_000)).status;

/** Every verb that a holder of a run can send late, each with everything that it can change. */
export const RUN_VERBS: Readonly<Record<string, StaleVerb<ClaimedWorkflowTask>>> = {
  hold: async (t, worker, task) => {
    const schedule = [t.make.activity(task.run, task.lastSeq + 1)];
    const run = { state: '"late"', attributes: { late: true } };
    return (await worker.commit(t.make.turn(task, { schedule, run, next: { do: "hold" } }))).status;
  },
  park: async (t, worker, task) => (await worker.commit(t.make.turn(task, { next: { do: "park", wakeAt: 0 } }))).status,
  block: async (t, worker, task) => {
    const next = { do: "block", reason: '"late"', until: null } as const;
    return (await worker.commit(t.make.turn(task, { next }))).status;
  },
  close: async (t, worker, task) => (await worker.commit(t.make.closing(task))).status,
  done: async (t, worker, task) => (await worker.commit(t.make.final(task))).status,
  renewal,
  checkpoint,
};

/** Every verb that a holder of an activity can send late. */
export const ACTIVITY_VERBS: Readonly<Record<string, StaleVerb<ClaimedActivityTask>>> = {
  complete: async (t, worker, task) => (await worker.commit(t.make.outcome(task))).status,
  retry: async (t, worker, task) => {
    const next = { do: "retry", at: 0, attempt: 9, details: '"late"' } as const;
    return (await worker.commit(t.make.outcome(task, next))).status;
  },
  release: async (t, worker, task) => (await worker.commit(t.make.outcome(task, { do: "release" }))).status,
  renewal,
  checkpoint,
};

/** How a verb says that its claim is over. */
export function refusalOf(verb: string): string {
  return verb === "renewal" ? "lost" : "lease-lost";
}
