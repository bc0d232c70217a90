import type { Millis } from "../model/ids.ts";

/** What this process knows of the storage's clock: its answers, carried on by local monotonic time. */
export class StorageClock {
  readonly #monotonic: () => number;
  /** storage time − monotonic time, at most and at least. */
  #most = -Infinity;
  #least = -Infinity;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get known(): boolean {
    return this.#most !== -Infinity;
  }

  /**
   * Takes in an answer to a request that was sent at `sentAt` (monotonic). Only the newest counts: the two clocks may run at
   * different rates.
   */
  learn(now: Millis, sentAt: number): void {
    this.#most = now - sentAt;
    this.#least = now - this.#monotonic();
  }

  /** Now, at the latest: a time counted from here is never too short. */
  latest(): Millis {
    return Math.ceil(this.#most + this.#monotonic());
  }

  /** Now, at the earliest: what is due by this time is due for the storage too (I10). */
  earliest(): Millis {
    return Math.floor(this.#least + this.#monotonic());
  }
}
