const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Chance that a seed reproduces (mulberry32). */
export class Random {
  #state: number;

  /** @param labels together with the seed they name an independent stream, a case's id for example */
  constructor(seed: number, ...labels: readonly string[]) {
    this.#state = seed >>> 0;
    for (const character of labels.join("\n")) {
      this.#state = Math.imul(this.#state ^ character.codePointAt(0)!, 0x01000193) >>> 0;
    }
  }

  /** 0 ≤ n < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, 0 ≤ n < `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }

  /** Random text of `[0-9a-zA-Z]`. */
  text(length: number): string {
    return Array.from({ length }, () => LETTERS[this.int(LETTERS.length)]).join("");
  }
}
