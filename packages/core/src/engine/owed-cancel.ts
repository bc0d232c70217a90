import type { CancelledError } from "../errors/index.ts";
import { isShielded } from "./shield.ts";

type Tell = (error: CancelledError) => void;

/**
 * Who is still to be told of a cancel request. Code that it interrupts is told at once. Code that waits for a shield is told when the
 * shield is over: by all that it asks for in that turn, once it is quiet, for what it does not wait for would keep it to itself. If
 * nobody could be told at once, those who ask for something next are.
 */
export class OwedCancel {
  readonly #shields = new Set<{ owed: boolean }>();
  #toNext = false;
  /** To the code that comes out of a shield in this turn. */
  #toThisTurn = false;
  /** What was asked for meanwhile, in command order. */
  #asked: Tell[] = [];

  /** A shield begins: answers what to call at its end. Code that goes from one into the next is told after both. */
  shieldBegun(): () => void {
    const shield = { owed: this.isOwed };
    this.#shields.add(shield);
    return () => {
      this.#shields.delete(shield);
      this.#toThisTurn ||= shield.owed;
    };
  }

  /** A request has come; `interrupted`: somebody has been told already. */
  requested(interrupted: boolean): void {
    this.#toNext = !interrupted;
    for (const shield of this.#shields) shield.owed = true;
  }

  /** Whether the code that asks for something right now is to be told. */
  get isOwed(): boolean {
    return (this.#toNext || this.#toThisTurn) && !isShielded();
  }

  /** Answers by being told: for what need not be begun. */
  refusal(): Promise<never> {
    return new Promise((_, reject) => this.add(reject));
  }

  /** `tell` is called when the code is quiet. */
  add(tell: Tell): void {
    this.#asked.push(tell);
  }

  /** The code that comes out of a shield awaits something that the request has rejected: that tells it. */
  seen(): void {
    if (!isShielded()) this.#toThisTurn = false;
  }

  /** The code is quiet: tells it. Answers whether it asked for anything that could be told. */
  tell(error: () => CancelledError): boolean {
    const asked = this.#asked;
    if (asked.length === 0) return false;
    this.#asked = [];
    this.#toNext = this.#toThisTurn = false;
    for (const tell of asked) tell(error());
    return true;
  }

  /** Only in this turn, because later another path of the code, cleaning up by then, might ask first. */
  turnOver(): void {
    this.#toThisTurn = false;
    this.#asked = [];
  }
}
