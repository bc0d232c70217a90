import type { Logger } from "../model/logger.ts";
import type { Runtime } from "../model/runtime.ts";

/** Tells once that the storage cannot be reached, and once that it can be again, however often it was tried in between. */
export class Outage {
  readonly #logger: Logger;
  readonly #runtime: Runtime;
  #since: number | null = null;

  constructor(logger: Logger, runtime: Runtime) {
    this.#logger = logger;
    this.#runtime = runtime;
  }

  /** The storage was unavailable. */
  begins(error: unknown): void {
    if (this.#since !== null) return;
    this.#since = this.#runtime.monotonic();
    const why = error instanceof Error ? ` ${error.message}` : "";
    this.#logger.warn(`The storage is unavailable: this worker waits for it, and goes on by itself.${why}`, {
      code: "storage-unavailable",
      error,
    });
  }

  /** The storage has answered. */
  isOver(): void {
    if (this.#since === null) return;
    const ms = Math.round(this.#runtime.monotonic() - this.#since);
    this.#since = null;
    this.#logger.info(`The storage is back after ${ms} ms.`, { code: "storage-available", ms });
  }
}
