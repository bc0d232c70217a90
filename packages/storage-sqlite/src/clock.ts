import type { Millis } from "@perdure/core/storage";

/**
 * The time of a store: never less than what any write has stored, and never less than what this process has answered before.
 * From there it advances as the wall clock does, whose steps back it does not follow (I24).
 */
export class StoreClock {
  readonly #wall: { now(): Millis };
  #lastWall = 0;
  #last: Millis = 0;

  constructor(wall: { now(): Millis }) {
    this.#wall = wall;
  }

  /** @param stored the latest time that is stored anywhere */
  read(stored: Millis): Millis {
    const wall = Math.floor(this.#wall.now());
    const elapsed = Math.max(0, wall - this.#lastWall);
    this.#last = Math.max(wall, stored, this.#lastWall === 0 ? 0 : this.#last + elapsed);
    this.#lastWall = wall;
    return this.#last;
  }
}
