import { isShielded } from "./shield.ts";

/**
 * Who is still to be told of a cancel request. Code that it interrupts is told at once. Code that waits for a shield is told by the
 * first thing that it asks for when the shield is over. If nobody could be told at once, the next who asks for something is.
 */
export class OwedCancel {
  readonly #shields = new Set<{ owed: boolean }>();
  #toNext = false;
  /** To the code that comes out of a shield in this turn. */
  #toThisTurn = false;

  /** A shield begins: answers what to call at its end. */
  shieldBegun(): () => void {
    const shield = { owed: false };
    this.#shields.add(shield);
    return () => {
      this.#shields.delete(shield);
      this.#toThisTurn ||= shield.owed;
    };
  }

  requested(interrupted: boolean): void {
    this.#toNext = !interrupted;
    for (const shield of this.#shields) shield.owed = true;
  }

  /** Whether the code that asks for something right now is told. */
  take(): boolean {
    if (isShielded() || !(this.#toNext || this.#toThisTurn)) return false;
    this.#toNext = this.#toThisTurn = false;
    return true;
  }

  /** The code that comes out of a shield awaits something that the request has rejected: that tells it. */
  seen(): void {
    if (!isShielded()) this.#toThisTurn = false;
  }

  turnOver(): void {
    this.#toThisTurn = false;
  }
}
