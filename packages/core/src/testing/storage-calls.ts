import type { VirtualClock } from "../memory/clock.ts";

/** A call that is unanswered gets so many times what calls take on average. */
const PATIENCE = 20;
const MAX_PATIENCE_MS = 2_000;

/** Calls of a storage that are under way: virtual time stands still for those that take real time. */
export class StorageCalls {
  readonly #clock: VirtualClock;
  readonly #leastPatienceMs: number;
  #begun = 0;
  #underway = 0;
  /** Calls up to here that are under way wait for virtual time, it seems. */
  #givenUp = 0;
  /** Calls during which virtual time stood still, and the real time that they took together. */
  #timed = 0;
  #timedMs = 0;
  #waiting: (() => void)[] = [];

  constructor(clock: VirtualClock, leastPatienceMs: number) {
    this.#clock = clock;
    this.#leastPatienceMs = leastPatienceMs;
  }

  /** A call begins; answers what to call when it is over. */
  begin(): () => void {
    const at = this.#clock.now();
    const began = performance.now();
    this.#begun++;
    this.#underway++;
    return () => {
      if (at === this.#clock.now()) {
        this.#timed++;
        this.#timedMs += performance.now() - began;
      }
      if (--this.#underway === 0) for (const answered of this.#waiting.splice(0)) answered();
    };
  }

  /** Waits until nothing is under way, as long as it makes sense. Answers whether there was anything to wait for. */
  async answered(): Promise<boolean> {
    if (this.#underway === 0 || this.#begun === this.#givenUp) return false;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(() => {
        this.#givenUp = this.#begun;
        resolve();
      }, this.#patienceMs());
      this.#waiting.push(() => {
        clearTimeout(patience);
        resolve();
      });
    });
    return true;
  }

  #patienceMs(): number {
    const meanMs = this.#timed === 0 ? 0 : this.#timedMs / this.#timed;
    return Math.min(Math.max(this.#leastPatienceMs, meanMs * PATIENCE), MAX_PATIENCE_MS);
  }
}
