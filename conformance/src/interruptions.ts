import { ConformanceFailure } from "./failure.ts";
import { printError } from "./print.ts";

/**
 * What ends cases from outside: a user who has had enough, and errors that nobody catches (of timers, of events, of promises that were left
 * alone). The latter would end the process; here they fail the cases at hand.
 */
export class Interruptions {
  readonly #cases = new Set<AbortController>();
  readonly #user: AbortSignal | undefined;
  readonly #unheard: string[] = [];

  constructor(user: AbortSignal | undefined) {
    this.#user = user;
    user?.addEventListener("abort", this.#onUser);
    process.on("uncaughtException", this.#onStray);
  }

  /** Errors that came while no case was at hand. */
  get unheard(): readonly string[] {
    return this.#unheard;
  }

  /** Does the work of one case, and tells it by the signal when it has to end. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#cases.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#cases.delete(controller);
    }
  }

  close(): void {
    this.#user?.removeEventListener("abort", this.#onUser);
    process.off("uncaughtException", this.#onStray);
  }

  readonly #onUser = (): void => {
    for (const controller of this.#cases) controller.abort(this.#user?.reason);
  };

  readonly #onStray = (error: unknown): void => {
    const what = `no error is left to nobody, as this one is: ${printError(error)}`;
    if (this.#cases.size === 0) this.#unheard.push(what);
    const notes = { thrown: String(error instanceof Error ? error.stack : printError(error)) };
    for (const controller of this.#cases) controller.abort(new ConformanceFailure(what, undefined, { notes }));
  };
}
