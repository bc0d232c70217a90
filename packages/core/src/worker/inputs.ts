import type { CommitResult, WorkflowCommit } from "../storage/commit.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { Millis } from "../model/ids.ts";
import type { Runtime } from "../model/runtime.ts";
import type { EndedAttempt } from "./attempts.ts";
import type { EffectOutcome } from "./effects.ts";

/** What reaches a held run, one at a time. */
export type Input =
  | { readonly kind: "attempt"; readonly ended: EndedAttempt }
  | { readonly kind: "slow"; readonly command: number }
  | { readonly kind: "messages"; readonly messages: readonly StoredMessage[] }
  | { readonly kind: "committed"; readonly commit: WorkflowCommit; readonly result: CommitResult }
  | { readonly kind: "refused"; readonly message: string }
  /** Nothing but a reason to look again. */
  | { readonly kind: "look" }
  | EffectOutcome;

/** What waits for a held run to take it in, and the run's sleep while there is nothing. */
export class Inputs {
  readonly #runtime: Pick<Runtime, "after">;
  #waiting: Input[] = [];
  #wake: (() => void) | null = null;
  #alarm: (() => void) | null = null;

  constructor(runtime: Pick<Runtime, "after">) {
    this.#runtime = runtime;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(input: Input): void {
    this.#waiting.push(input);
    const wake = this.#wake;
    if (wake === null) return;
    this.#wake = null;
    this.callOff();
    wake();
  }

  /** All that has arrived since the last call. */
  take(): readonly Input[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** Sleeps until something arrives: a look of its own after `delayMs`, if nothing else does. `null`: there is no alarm. */
  arrival(delayMs: Millis | null): Promise<void> {
    if (delayMs !== null) this.#alarm = this.#runtime.after(delayMs, () => this.push({ kind: "look" }));
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Cancels the alarm. */
  callOff(): void {
    this.#alarm?.();
    this.#alarm = null;
  }
}
