import type { Execution } from "../engine/execution.ts";
import type { Seq, TaskId } from "../model/ids.ts";

/** A parked run in memory: an execution all of whose events are acknowledged. */
export interface CachedRun {
  readonly execution: Execution;
  /** Head of history when it parked. */
  readonly lastSeq: Seq;
  /** The commit that ended there. */
  readonly lastCommitId: string | null;
}

/** Parked runs, least recently used first out. Keyed by task, whose id names the incarnation. Turning it off changes speed alone. */
export class RunCache {
  readonly #limit: number;
  readonly #runs = new Map<TaskId, CachedRun>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  put(taskId: TaskId, run: CachedRun): void {
    if (this.#limit === 0) return;
    this.#runs.delete(taskId);
    this.#runs.set(taskId, run);
    if (this.#runs.size <= this.#limit) return;
    for (const oldest of this.#runs.keys()) {
      this.#runs.delete(oldest);
      return;
    }
  }

  has(taskId: TaskId): boolean {
    return this.#runs.has(taskId);
  }

  /** Takes the run out: whoever holds it puts it back when it parks again. */
  take(taskId: TaskId): CachedRun | undefined {
    const run = this.#runs.get(taskId);
    if (run !== undefined) this.#runs.delete(taskId);
    return run;
  }
}
