import { setTimeout as sleep } from "node:timers/promises";

/** What all connections of a proxy suffer alike. */
export class Line {
  latencyMs = 0;
  #repaired: Promise<void> | null = null;
  #repair: () => void = () => {};

  /** While it is dead, bytes wait: nothing arrives, and no connection ends. */
  set dead(dead: boolean) {
    if (dead === this.dead) return;
    this.#repair();
    this.#repaired = dead ? new Promise((resolve) => (this.#repair = resolve)) : null;
  }

  get dead(): boolean {
    return this.#repaired !== null;
  }

  /** Resolves when what was sent at `sentAt` arrives. */
  async carry(sentAt: number, signal: AbortSignal): Promise<void> {
    const late = sentAt + this.latencyMs - performance.now();
    if (late > 0) await sleep(late, undefined, { signal });
    while (this.#repaired !== null) await this.#repaired;
  }
}
