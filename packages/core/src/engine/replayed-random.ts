import type { RunHeader } from "../model/run.ts";
import { SeededRandom } from "./seeded-random.ts";

/** What a replay needs to draw again what was drawn before. */
interface Drawer {
  readonly run: Pick<RunHeader, "incarnation" | "baseSeq">;
  readonly origins: readonly string[];
}

/** Chance for workflow code: the same in every replay. A fork draws what its source drew, and goes on by itself from its FORKED on. */
export class ReplayedRandom {
  readonly #drawer: Drawer;
  #seed: string | null = null;
  #random!: SeededRandom;

  constructor(drawer: Drawer) {
    this.#drawer = drawer;
  }

  next(): number {
    return this.#seeded().next();
  }

  uuid(): string {
    return this.#seeded().uuid();
  }

  #seeded(): SeededRandom {
    const { run, origins } = this.#drawer;
    const seed = `${origins[0] ?? run.incarnation}/${run.baseSeq}`;
    if (seed !== this.#seed) {
      this.#seed = seed;
      this.#random = new SeededRandom(seed);
    }
    return this.#random;
  }
}
