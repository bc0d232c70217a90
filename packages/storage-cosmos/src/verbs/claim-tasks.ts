import {
  activityTaskId,
  type ClaimedTask,
  type ClaimRequest,
  type ClaimResult,
  type Millis,
  parseTaskId,
  type TaskId,
  workflowTaskId,
} from "@perdure/core/storage";
import type { Activity, Head } from "../documents.ts";
import { LIMITS } from "../info.ts";
import type { Store } from "../store.ts";
import { claimableAt, horizonOf } from "../times.ts";
import { inParallel } from "./each-run.ts";
import { type Candidate, findCandidates, findHeld, findNextOverdue, lanesOf } from "./find-candidates.ts";
import { handOut, type HandOutOptions } from "./hand-out.ts";

/** How many races of etags are run at once. */
const AT_ONCE = 32;

/** `claimTasks`: a query finds candidates, and then each is a race. */
export async function claimTasks(store: Store, request: ClaimRequest): Promise<ClaimResult> {
  const limit = Math.min(request.limit, LIMITS.claimTasks);
  const { workerInstance } = request;
  const isDoubtful = store.handed.mayBeForgotten(request);
  const handed = store.handed.begin(workerInstance);
  const known = new Set(request.holding);
  const held = isDoubtful ? await findHeld(store, request) : [];
  const forgotten = held.filter((task) => !known.has(taskIdOf(task)));
  if (isDoubtful) handed.clear();
  for (const task of held) handed.set(taskIdOf(task), task.epoch);
  const result =
    request.taskIds === undefined
      ? await claimAny(store, request, forgotten, limit)
      : await claimNamed(store, request, request.taskIds, limit);
  store.handed.end(
    workerInstance,
    handed,
    result.tasks.map(({ claim }) => claim),
  );
  return result;
}

async function claimAny(
  store: Store,
  request: ClaimRequest,
  forgotten: readonly Candidate[],
  limit: number,
): Promise<ClaimResult> {
  const now = store.now();
  const lanes = new Set(lanesOf(request));
  const mine = forgotten.filter((task) => lanes.has(task.lane) || (request.overdue && isOverdue(task, now)));
  const { ready, later } = await findCandidates(store, request, limit, now);
  const isMine = new Set(mine.map(taskIdOf));
  const others = ready.filter((task) => !isMine.has(taskIdOf(task)));
  const { tasks, left } = await race(store, request, [...mine, ...others], limit, { lanes, mustBeReady: true, now });
  // One that is left, or that somebody else was quicker at, may be ready now.
  if (left) return { now, tasks, nextReadyAt: now };
  const next = later.find((task) => !isMine.has(taskIdOf(task)));
  const overdueAt = request.overdue ? await findNextOverdue(store, now, tasks) : undefined;
  return { now, tasks, nextReadyAt: earliest(next && claimableAt(next.visibleAt!), overdueAt) };
}

/** The named ones that nobody else holds, whatever they wait for. */
async function claimNamed(
  store: Store,
  request: ClaimRequest,
  taskIds: readonly TaskId[],
  limit: number,
): Promise<ClaimResult> {
  const now = store.now();
  const named: Named[] = [];
  for (const taskId of new Set(taskIds)) {
    const address = parseTaskId(taskId);
    if (address !== undefined) named.push({ runId: address.runId, taskId, seq: address.seq });
  }
  const { tasks } = await race(store, request, named, limit, { lanes: new Set(), mustBeReady: false, now });
  return { now, tasks, nextReadyAt: null };
}

function earliest(at: Millis | undefined, other: Millis | undefined): Millis | null {
  if (at === undefined || other === undefined) return at ?? other ?? null;
  return Math.min(at, other);
}

interface Named {
  readonly runId: string;
  readonly taskId: TaskId;
  readonly seq: number;
}

/** Claims in this order until the limit is reached. */
async function race(
  store: Store,
  request: ClaimRequest,
  candidates: readonly (Candidate | Named)[],
  limit: number,
  options: HandOutOptions,
): Promise<{ readonly tasks: readonly ClaimedTask[]; readonly left: boolean }> {
  const tasks: ClaimedTask[] = [];
  let next = 0;
  while (tasks.length < limit && next < candidates.length) {
    const some = candidates.slice(next, next + limit - tasks.length);
    next += some.length;
    const won = new Map<number, ClaimedTask>();
    await inParallel([...some.entries()], AT_ONCE, async ([at, one]) => {
      const task = await handOut(store, request, one.runId, "taskId" in one ? one.taskId : taskIdOf(one), {
        ...options,
        ...("_etag" in one && { candidate: one }),
      });
      if (task !== undefined) won.set(at, task);
    });
    tasks.push(...[...won].toSorted(([a], [b]) => a - b).map(([, task]) => task));
  }
  return { tasks, left: next < candidates.length };
}

function isOverdue(task: Head | Activity, now: Millis): boolean {
  return task.t === "head" && task.dueAt !== undefined && task.dueAt <= horizonOf(now);
}

function taskIdOf(task: Head | Activity): TaskId {
  const { runId, incarnation } = task;
  return task.t === "activity" ? activityTaskId(runId, incarnation, task.seq) : workflowTaskId(runId, incarnation);
}
