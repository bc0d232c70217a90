/** The life of a worker's process. When it is over, what belongs to it stops where it is, as after SIGKILL. */
export class Life {
  /** Resolves when life is over. */
  readonly over: Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #endings = new Set<() => void>();
  #isOver = false;

  constructor() {
    this.over = this.#ended.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const ending of this.#endings) ending();
    this.#endings.clear();
    this.#ended.resolve();
  }

  /** Calls back at the end of life; answers how to call it off. */
  onEnd(ending: () => void): () => void {
    this.#endings.add(ending);
    return () => void this.#endings.delete(ending);
  }

  /** Settles as the call does; once life is over, as `instead` does: never. */
  async go<T>(call: () => T | Promise<T>, instead: () => Promise<never> = never): Promise<T> {
    try {
      if (this.#isOver) return await instead();
      const answer = await call();
      return this.#isOver ? await instead() : answer;
    } catch (error) {
      if (this.#isOver) return instead();
      throw error;
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
