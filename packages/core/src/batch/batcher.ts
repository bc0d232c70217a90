import { isPerdureError } from "../errors/index.ts";
import type { Runtime } from "../model/runtime.ts";

interface Entry<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

const RETRY_MS = [20, 50, 100, 200, 500, 1_000, 2_000] as const;

/** How long an item is repeated while the storage is unavailable: for some seconds, or until it is back. */
export type Patience = "some" | "endless";

/**
 * One queue before one verb: while a batch is in flight the next one gathers, so that a hundred runs that finish a step together
 * share one transaction. No timers: an item alone goes out at once.
 */
export class Batcher<T, R> {
  readonly #runtime: Runtime;
  readonly #send: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #limit: number;
  readonly #patience: Patience;
  #waiting: Entry<T, R>[] = [];
  #busy = false;

  constructor(
    runtime: Runtime,
    limit: number,
    patience: Patience,
    send: (items: readonly T[]) => Promise<readonly R[]>,
  ) {
    this.#runtime = runtime;
    this.#patience = patience;
    this.#limit = limit;
    this.#send = send;
  }

  /** Resolves when the item is durable, with its result. Repeats the identical call while the storage is unavailable. */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      this.#runtime.defer(() => void this.#drain());
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting.length <= this.#limit ? this.#waiting : this.#waiting.slice(0, this.#limit);
      this.#waiting = this.#waiting.length <= this.#limit ? [] : this.#waiting.slice(this.#limit);
      await this.#flush(entries);
      // The runs that were answered go on first: what they ask for next belongs into one batch.
      await new Promise<void>((resolve) => this.#runtime.defer(resolve));
    }
    this.#busy = false;
  }

  async #flush(entries: readonly Entry<T, R>[]): Promise<void> {
    try {
      const results = await this.#attempt(entries.map(({ item }) => item));
      for (let at = 0; at < entries.length; at++) entries[at]!.resolve(results[at]!);
    } catch (error) {
      // A malformed item is refused by an exception: its neighbours must not suffer.
      if (entries.length > 1 && !isPerdureError(error, "unavailable")) {
        for (const entry of entries) await this.#flush([entry]);
      } else for (const { reject } of entries) reject(error);
    }
  }

  async #attempt(items: readonly T[]): Promise<readonly R[]> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#send(items);
      } catch (error) {
        const pause = RETRY_MS[tries] ?? (this.#patience === "endless" ? RETRY_MS.at(-1) : undefined);
        if (pause === undefined || !isPerdureError(error, "unavailable")) throw error;
        await new Promise<void>((resolve) => this.#runtime.after(pause, resolve));
      }
    }
  }
}
