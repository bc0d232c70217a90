import type { Logger } from "../model/logger.ts";
import type { Runtime } from "../model/runtime.ts";

/**
 * Tells once that the storage cannot be reached, or a part of it, and once that all of it can be again, however often it was tried in between.
 */
export class Outage {
  readonly #logger: Logger;
  readonly #runtime: Runtime;
  /** Parts that were silent when leases in them were renewed last; null: the whole, by what a claim heard. */
  readonly #silent = new Set<number | null>();
  #since: number | null = null;

  constructor(logger: Logger, runtime: Runtime) {
    this.#logger = logger;
    this.#runtime = runtime;
  }

  /** The storage was unavailable, or this part of it. */
  begins(error: unknown, part: number | null = null): void {
    this.#silent.add(part);
    if (this.#since !== null) return;
    this.#since = this.#runtime.monotonic();
    const why = error instanceof Error ? ` ${error.message}` : "";
    this.#logger.warn(`The storage is unavailable: this worker waits for it, and goes on by itself.${why}`, {
      code: "storage-unavailable",
      error,
    });
  }

  /** The storage has answered, or this part of it. */
  isOver(part: number | null = null): void {
    this.#silent.delete(null);
    this.#silent.delete(part);
    this.#endIfAllAnswer();
  }

  /** Of other parts than these nobody here wants anything. */
  concernsOnly(parts: ReadonlySet<number>): void {
    for (const part of this.#silent) if (part !== null && !parts.has(part)) this.#silent.delete(part);
    this.#endIfAllAnswer();
  }

  #endIfAllAnswer(): void {
    if (this.#since === null || this.#silent.size > 0) return;
    const ms = Math.round(this.#runtime.monotonic() - this.#since);
    this.#since = null;
    this.#logger.info(`The storage is back after ${ms} ms.`, { code: "storage-available", ms });
  }
}
