import type { Millis, TaskId } from "../model/ids.ts";
import type { Claim, ClaimRequest, TaskKind } from "../storage/task.ts";
import { Lane } from "./lane.ts";
import type { Lease, Task } from "./records.ts";

/** All tasks of a namespace: by id, in the order of claiming, and by who holds them. */
export class Tasks {
  readonly #byId = new Map<TaskId, Task>();
  /** By queue, then by kind and name: what a claim request selects by. */
  readonly #lanes = new Map<string, Map<string, Lane<Task>>>();
  /** Workflow tasks that have a deadline, on all queues; each is here from its deadline on. */
  readonly overdue: Lane<Task> = new Lane<Task>();
  readonly #byInstance = new Map<string, Set<Task>>();

  get(id: TaskId): Task | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<Task> {
    return this.#byId.values();
  }

  add(task: Task): void {
    this.#byId.set(task.id, task);
    this.show(task, task.visibleAt);
  }

  remove(task: Task): void {
    this.endClaim(task);
    this.show(task, null);
    this.#byId.delete(task.id);
  }

  /** The task that a claim owns: the epoch is the newest, and its lease was not given up (I6). */
  owned(claim: Claim): Task | undefined {
    const task = this.#byId.get(claim.taskId);
    if (task === undefined || task.lease === null || task.epoch !== claim.epoch) return undefined;
    const { runId, incarnation } = task.run.start;
    return runId === claim.runId && incarnation === claim.incarnation ? task : undefined;
  }

  /** Sets when a task can be claimed. */
  show(task: Task, at: Millis | null): void {
    task.visibleAt = at;
    task.place?.heap.remove(task.place);
    task.place = at === null ? null : task.lane.add(task, at);
    const { deadlineAt } = task.run.start;
    if (deadlineAt === null || task.kind === "activity") return;
    task.deadlinePlace?.heap.remove(task.deadlinePlace);
    task.deadlinePlace = at === null ? null : this.overdue.add(task, Math.max(at, deadlineAt));
  }

  /** Starts a claim. Whoever held the task before holds it no longer. */
  lease(task: Task, lease: Lease): void {
    this.endClaim(task);
    task.epoch += 1;
    this.#hold(task, lease);
    this.show(task, lease.until);
  }

  /** Adds a task that was there before, with whoever held it. */
  restore(task: Task, lease: Lease | null): void {
    this.add(task);
    if (lease !== null) this.#hold(task, lease);
  }

  #hold(task: Task, lease: Lease): void {
    task.lease = lease;
    const held = this.#byInstance.get(lease.workerInstance);
    if (held === undefined) this.#byInstance.set(lease.workerInstance, new Set([task]));
    else held.add(task);
  }

  /** Ends a claim: every later verb under its epoch is refused. When the task is ready again is for the caller to say. */
  endClaim(task: Task): void {
    if (task.lease === null) return;
    const { workerInstance } = task.lease;
    const held = this.#byInstance.get(workerInstance);
    held?.delete(task);
    if (held?.size === 0) this.#byInstance.delete(workerInstance);
    task.lease = null;
  }

  /** Tasks that this start of a worker holds. */
  heldBy(workerInstance: string): Iterable<Task> {
    return this.#byInstance.get(workerInstance) ?? [];
  }

  /** The lanes that a request selects. */
  lanesOf({ queues, kinds, handlers }: ClaimRequest): readonly Lane<Task>[] {
    const lanes = new Set<Lane<Task>>();
    for (const queue of queues) {
      const byName = this.#lanes.get(queue);
      if (byName === undefined) continue;
      for (const kind of kinds) {
        for (const name of kind === "workflow" ? handlers.workflows : handlers.activities) {
          const lane = byName.get(laneName(kind, name));
          if (lane !== undefined) lanes.add(lane);
        }
      }
    }
    return [...lanes];
  }

  /** The lane of a queue, a kind and a name. */
  lane(queue: string, kind: TaskKind, name: string): Lane<Task> {
    let byName = this.#lanes.get(queue);
    if (byName === undefined) this.#lanes.set(queue, (byName = new Map<string, Lane<Task>>()));
    let lane = byName.get(laneName(kind, name));
    if (lane === undefined) byName.set(laneName(kind, name), (lane = new Lane<Task>()));
    return lane;
  }
}

function laneName(kind: TaskKind, name: string): string {
  return `${kind} ${name}`;
}
