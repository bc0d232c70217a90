import { type TaskId, workflowTaskId } from "@perdure/core/storage";

/** A run as the database knows it: by number. */
export interface KnownRun {
  readonly no: number;
  readonly runId: string;
  readonly incarnation: string;
  /** Id of its workflow task. */
  readonly taskId: TaskId;
}

/** The numbers of the runs that were used last, so that a commit need not look its run up. A number never changes its run. */
export class RunNumbers {
  readonly #capacity: number;
  readonly #byId = new Map<string, KnownRun>();
  readonly #byNo = new Map<number, KnownRun>();

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  get(runId: string): KnownRun | undefined {
    return this.#byId.get(runId);
  }

  byNo(no: number): KnownRun | undefined {
    return this.#byNo.get(no);
  }

  add(no: number, runId: string, incarnation: string): KnownRun {
    const old = this.#byId.get(runId);
    if (old?.no === no) return old;
    if (old !== undefined) this.#byNo.delete(old.no);
    const run: KnownRun = { no, runId, incarnation, taskId: workflowTaskId(runId, incarnation) };
    this.#byId.set(runId, run);
    this.#byNo.set(no, run);
    if (this.#byId.size > this.#capacity) this.#forgetOldest();
    return run;
  }

  /** Forgets everything: after a transaction that was rolled back, a number may belong to nobody. */
  clear(): void {
    this.#byId.clear();
    this.#byNo.clear();
  }

  #forgetOldest(): void {
    for (const { no, runId } of this.#byId.values()) {
      this.#byId.delete(runId);
      this.#byNo.delete(no);
      return;
    }
  }
}
