import type { Batcher } from "./batcher.ts";

/** A queue before one verb for each part of the store: while one part is out of reach, the others' items go their way. */
export class PartedBatcher<T, R> {
  readonly #partOf: (item: T) => number;
  readonly #newQueue: () => Batcher<T, R>;
  readonly #queues = new Map<number, Batcher<T, R>>();

  constructor(partOf: (item: T) => number, newQueue: () => Batcher<T, R>) {
    this.#partOf = partOf;
    this.#newQueue = newQueue;
  }

  /** As `Batcher.add`. */
  add(item: T): Promise<R> {
    const part = this.#partOf(item);
    let queue = this.#queues.get(part);
    if (queue === undefined) this.#queues.set(part, (queue = this.#newQueue()));
    return queue.add(item);
  }
}
