/** Slots for activities. Who finds none is called when one is free, and tries again. */
export class Semaphore {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(slots: number) {
    this.#free = slots;
  }

  get free(): number {
    return this.#free;
  }

  /** Calls `whenFree` once, when a slot becomes free. */
  notify(whenFree: () => void): void {
    this.#waiting.add(whenFree);
  }

  /** Takes a slot; without one `whenFree` is called later, once. */
  take(whenFree: () => void): boolean {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    this.#waiting.add(whenFree);
    return false;
  }

  release(): void {
    this.#free++;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const whenFree of waiting) whenFree();
  }
}
