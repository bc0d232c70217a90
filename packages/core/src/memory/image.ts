import type { Millis, TaskId } from "../model/ids.ts";
import type { CacheEntry } from "../storage/cache.ts";
import { newWorkflowTask } from "./create.ts";
import type { ActivityTask, CacheRecord, Lease, RunRecord, Task, WorkflowTask } from "./records.ts";
import type { Namespace } from "./store.ts";

// Records as plain JSON, and back.

type Entries<T> = T extends ReadonlyMap<infer K, infer V> ? readonly (readonly [K, V])[] : never;

interface TaskImage {
  readonly epoch: number;
  readonly lease: Lease | null;
  readonly deliveries: number;
  readonly visibleAt: Millis | null;
}

type ActivityImage = TaskImage &
  Pick<
    ActivityTask,
    "id" | "name" | "queue" | "priority" | "input" | "scheduledAt" | "attempt" | "details" | "lastCommitId"
  >;

type WorkflowImage = TaskImage &
  Pick<WorkflowTask, "blocked" | "inboxAcked" | "inboxLast" | "inbox"> & {
    readonly activities: readonly ActivityImage[];
    readonly completed: Entries<WorkflowTask["completed"]>;
  };

/** All of a run but its cache entries. */
export type RunImage = Omit<RunRecord, "task" | "cacheKeys" | "dedupe"> & {
  readonly dedupe: Entries<RunRecord["dedupe"]>;
  readonly task: WorkflowImage | null;
};

/** A cache entry with the run that it belongs to. */
export type CacheImage = CacheEntry & {
  readonly owner: { readonly runId: string; readonly incarnation: string } | null;
};

/** Shares what never changes with the record: to be written down at once, not to be kept. */
export function imageOfRun(run: RunRecord): RunImage {
  const { cacheKeys: _, dedupe, task, ...rest } = run;
  return { ...rest, dedupe: [...dedupe], task: task && imageOfWorkflowTask(task) };
}

export function imageOfEntry({ key, value, expiresAt, owner }: CacheRecord): CacheImage {
  const { runId, incarnation } = owner?.start ?? {};
  const isOwned = runId !== undefined && incarnation !== undefined;
  return { key, value, expiresAt, owner: isOwned ? { runId, incarnation } : null };
}

/** Puts a run into a namespace that does not have it. The image becomes the store's. */
export function restoreRun(space: Namespace, image: RunImage): void {
  const { dedupe, task, ...rest } = image;
  const run: RunRecord = { ...rest, dedupe: new Map(dedupe), cacheKeys: null, task: null };
  space.runs.add(run);
  if (task !== null) run.task = restoreWorkflowTask(space, run, task);
}

/** Puts an entry into a namespace after the run that it belongs to. */
export function restoreEntry(space: Namespace, { key, value, expiresAt, owner }: CacheImage): void {
  const run = (owner && space.run(owner.runId, owner.incarnation)) ?? null;
  space.cache.set(key, { key, value, expiresAt, owner: run });
  if (run !== null) (run.cacheKeys ??= new Set()).add(key);
}

function imageOfWorkflowTask(task: WorkflowTask): WorkflowImage {
  const { blocked, inboxAcked, inboxLast, inbox, activities, completed } = task;
  return {
    ...imageOfTask(task),
    blocked,
    inboxAcked,
    inboxLast,
    inbox,
    activities: [...activities.values()].map(imageOfActivity),
    completed: [...completed],
  };
}

function imageOfActivity(task: ActivityTask): ActivityImage {
  const { id, name, queue, priority, input, scheduledAt, attempt, details, lastCommitId } = task;
  return { id, name, queue, priority, input, scheduledAt, attempt, details, lastCommitId, ...imageOfTask(task) };
}

function imageOfTask({ epoch, lease, deliveries, visibleAt }: Task): TaskImage {
  return { epoch, lease, deliveries, visibleAt };
}

function restoreWorkflowTask(space: Namespace, run: RunRecord, image: WorkflowImage): WorkflowTask {
  const { activities, completed, lease, ...rest } = image;
  const task = Object.assign(newWorkflowTask(space, run, 0), rest, {
    completed: new Map<TaskId, { commitId: string; at: Millis }>(completed),
  });
  space.tasks.restore(task, lease);
  for (const { lease: held, ...fields } of activities) {
    const { tasks } = space;
    const lane = tasks.lane(fields.queue, "activity", fields.name);
    const nowhere = { run, lane, place: null, deadlinePlace: null, lease: null };
    const activity: ActivityTask = { kind: "activity", ...fields, ...nowhere };
    task.activities.set(activity.id, activity);
    tasks.restore(activity, held);
  }
  return task;
}
