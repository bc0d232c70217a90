/** Does one thing after the other for each name, in the order in which they came. */
export class Lines {
  readonly #last = new Map<string, Promise<unknown>>();

  async inLine<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}
