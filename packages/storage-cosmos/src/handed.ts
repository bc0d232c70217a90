import type { Claim, ClaimRequest, CommitResult, TaskId } from "@perdure/core/storage";

/** What this client has handed out: to know when it is worth asking for tasks whose claim was answered in vain. */
export class Handed {
  readonly #byInstance = new Map<string, Set<TaskId>>();

  /** Whether the store may know of tasks of this instance that it does not know of itself. */
  mayBeForgotten({ workerInstance, holding }: ClaimRequest): boolean {
    const handed = this.#byInstance.get(workerInstance);
    if (handed === undefined) return true;
    const known = new Set(holding);
    return [...handed].some((taskId) => !known.has(taskId));
  }

  /** These are all of an instance that the store knows of. */
  set(workerInstance: string, taskIds: Iterable<TaskId>): void {
    this.#byInstance.set(workerInstance, new Set(taskIds));
  }

  add(workerInstance: string, taskIds: Iterable<TaskId>): void {
    const handed = this.#byInstance.get(workerInstance);
    for (const taskId of taskIds) handed?.add(taskId);
  }

  /** The store is to be asked: a claim failed half-way. */
  doubt(workerInstance: string): void {
    this.#byInstance.delete(workerInstance);
  }

  /** A commit was answered: its task may not be held any more. */
  ended({ taskId }: Claim, result: CommitResult): void {
    const isOver = result.status === "lease-lost" || ("held" in result && !result.held);
    if (!isOver) return;
    for (const handed of this.#byInstance.values()) handed.delete(taskId);
  }
}
