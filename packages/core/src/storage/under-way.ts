/** Counts the verbs of a backend that have begun and are not answered yet, so that its `close` can wait for them. */
export class UnderWay {
  #count = 0;
  #ended: (() => void) | undefined;

  /** Runs a verb, and answers what it answers. */
  async during<T>(verb: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await verb();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#ended?.();
    }
  }

  /** Resolves when there is none any more. It has no limit of its own: verbs that may wait for ever need one from the caller. */
  async none(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
  }
}
