import type { Millis } from "../model/ids.ts";

/** Where a store reads the time. */
export interface MemoryClock {
  now(): Millis;
}

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends MemoryClock {
  /** Moves on by so many milliseconds. */
  advance(ms: number): void;
  /** Jumps to a moment, also to an earlier one: to see that a store does not follow it there. */
  set(ms: Millis): void;
  /** Calls back after every move, with the new time. Answers a function that ends this. */
  onAdvance(listener: (now: Millis) => void): () => void;
}

/** Creates a {@link VirtualClock}; it starts at the beginning of 2026 unless told otherwise. */
export function virtualClock(startAt: Millis = Date.UTC(2026, 0, 1)): VirtualClock {
  const listeners = new Set<(now: Millis) => void>();
  let time = startAt;
  function moveTo(ms: Millis): void {
    time = ms;
    for (const listener of listeners) listener(time);
  }
  return {
    now: () => time,
    advance: (ms) => moveTo(time + ms),
    set: moveTo,
    onAdvance(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The one clock of a store: it goes on as a {@link MemoryClock} does, whose steps back it does not follow (I24). */
export class StoreClock {
  readonly #fallback: MemoryClock;
  #clock: MemoryClock | undefined;
  #lastRead: Millis = 0;
  #last: Millis = 0;
  #reached: Millis = 0;

  constructor(fallback: MemoryClock) {
    this.#fallback = fallback;
  }

  /** Sets the clock to read. Only the first call counts: clients of one store share one clock. */
  use(clock: MemoryClock): void {
    this.#clock ??= clock;
  }

  /** Somebody else has handed out this time: from now on it is never less. */
  reach(time: Millis): void {
    this.#reached = Math.max(this.#reached, time);
  }

  now(): Millis {
    const read = Math.floor((this.#clock ?? this.#fallback).now());
    this.#last = Math.max(read, this.#reached, this.#last + Math.max(0, read - this.#lastRead));
    this.#lastRead = read;
    return this.#last;
  }
}
