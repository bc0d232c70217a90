import type { Claim, ClaimRequest, CommitResult, TaskId } from "@perdure/core/storage";

type Epochs = Map<TaskId, number>;

/** What this client has handed out: to know when it is worth asking for tasks whose claim was answered in vain. */
export class Handed {
  readonly #byInstance = new Map<string, Epochs>();

  /** Whether the store may know of tasks of this instance that it does not know of itself. */
  mayBeForgotten({ workerInstance, holding }: ClaimRequest): boolean {
    const handed = this.#byInstance.get(workerInstance);
    if (handed === undefined) return true;
    const known = new Set(holding);
    return [...handed.keys()].some((taskId) => !known.has(taskId));
  }

  /** Until {@link end} the store is to be asked: a claim may fail half-way. */
  begin(workerInstance: string): Epochs {
    const handed = this.#byInstance.get(workerInstance) ?? new Map<TaskId, number>();
    this.#byInstance.delete(workerInstance);
    return handed;
  }

  end(workerInstance: string, handed: Epochs, claims: readonly Claim[]): void {
    for (const { taskId, epoch } of claims) handed.set(taskId, epoch);
    this.#byInstance.set(workerInstance, handed);
  }

  /** A commit was answered: its task may not be held any more. */
  ended({ taskId, epoch }: Claim, result: CommitResult): void {
    const isOver = result.status === "lease-lost" || ("held" in result && !result.held);
    if (!isOver) return;
    for (const handed of this.#byInstance.values()) if (handed.get(taskId) === epoch) handed.delete(taskId);
  }
}
