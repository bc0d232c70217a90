import type { ClaimResult } from "@perdure/core/storage";

/** Whether a claim is expected to be in vain: the one before was, nothing was heard since, and nothing is due by itself. */
export class Quiet {
  /** By the clock of this process. */
  #until = 0;

  get isNow(): boolean {
    return performance.now() < this.#until;
  }

  claimed({ now, tasks, nextReadyAt }: ClaimResult): void {
    if (tasks.length > 0) this.#until = 0;
    else this.#until = nextReadyAt === null ? Infinity : performance.now() + nextReadyAt - now;
  }

  /** Something was heard. */
  isOver(): void {
    this.#until = 0;
  }
}
