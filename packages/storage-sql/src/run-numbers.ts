import { type TaskId, workflowTaskId } from "@perdure/core/storage";

/** A run as the database knows it: by number. */
export interface KnownRun {
  readonly no: number;
  readonly runId: string;
  readonly incarnation: string;
  /** Id of its workflow task. */
  readonly taskId: TaskId;
}

/** The numbers of runs that were used lately, so that a commit need not look its run up. A number never changes its run. */
export class RunNumbers {
  readonly #capacity: number;
  readonly #byId = new Map<string, KnownRun>();
  readonly #byNo = new Map<number, KnownRun>();
  readonly #byTask = new Map<TaskId, KnownRun>();

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  get(runId: string): KnownRun | undefined {
    return this.#byId.get(runId);
  }

  /** The run of a workflow task. */
  byTask(taskId: TaskId): KnownRun | undefined {
    return this.#byTask.get(taskId);
  }

  byNo(no: number): KnownRun | undefined {
    return this.#byNo.get(no);
  }

  add(no: number, runId: string, incarnation: string): KnownRun {
    const old = this.#byId.get(runId);
    if (old?.no === no) return old;
    if (old !== undefined) this.#forget(old);
    // Cheaper than finding the oldest one again and again: a run that is still in use is looked up once more.
    else if (this.#byId.size >= this.#capacity) this.clear();
    const run: KnownRun = { no, runId, incarnation, taskId: workflowTaskId(runId, incarnation) };
    this.#byId.set(runId, run);
    this.#byNo.set(no, run);
    this.#byTask.set(run.taskId, run);
    return run;
  }

  #forget({ no, taskId }: KnownRun): void {
    this.#byNo.delete(no);
    this.#byTask.delete(taskId);
  }

  /** Forgets everything: after a transaction that was rolled back, a number may belong to nobody. */
  clear(): void {
    this.#byId.clear();
    this.#byNo.clear();
    this.#byTask.clear();
  }
}
