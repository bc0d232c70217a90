import type { Millis } from "@perdure/core/storage";

/** One execution of an activity's code, as the world outside saw it. */
export interface Execution {
  readonly runId: string;
  /** Of the step in the run's program. */
  readonly step: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** The worker. */
  readonly by: string;
  readonly at: Millis;
}

/** The world outside, on which activities act: nothing that happened there is undone. */
export class Executions {
  readonly all: Execution[] = [];

  /** Executions of an attempt that had been executed before. */
  get repeated(): number {
    return (
      this.all.length - new Set(this.all.map(({ idempotencyKey, attempt }) => `${idempotencyKey} ${attempt}`)).size
    );
  }

  /** Notes an execution. Answers its number, which no other one has. */
  begin(execution: Execution): number {
    return this.all.push(execution) - 1;
  }
}
