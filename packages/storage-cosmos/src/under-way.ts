/** Counts the verbs that have begun and are not answered yet, so that a close can wait for them. */
export class UnderWay {
  #count = 0;
  #ended: (() => void) | undefined;

  async during<T>(verb: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await verb();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#ended?.();
    }
  }

  /** Resolves when there is none any more. Each ends in time by itself. */
  async none(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
  }
}
