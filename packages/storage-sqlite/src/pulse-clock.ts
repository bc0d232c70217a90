import type { Millis } from "@perdure/core/storage";
import { addPulse, lastPulse, type Steps, type TopicCode, touchPulse, writeTopics } from "@perdure/storage-sql";
import { StoreClock } from "./clock.ts";

/** Longer lists of topics are announced as "anything": so a pulse fits a page of the file many times. */
const MAX_TOPICS_LENGTH = 1000;

/** Own pulses that are remembered, to tell them from those of other processes. */
const REMEMBERED = 64;

/**
 * The clock of a store in a file that several processes share. Each write leaves a pulse: the time that it handed out, and what it
 * woke. The newest one is read in every transaction, so nobody hands out less than a write has stored (I24).
 */
export class PulseClock {
  readonly #clock: StoreClock;
  readonly #own = new Set<number>();
  #last = 0;
  #lastAt: Millis = 0;
  /** What the transaction before left. */
  #newest = 0;

  constructor(wall: { now(): Millis }) {
    this.#clock = new StoreClock(wall);
  }

  *now(): Steps<Millis> {
    const pulse = yield* lastPulse();
    this.#last = pulse?.no ?? 0;
    this.#lastAt = pulse?.at ?? 0;
    return this.#clock.read(this.#lastAt);
  }

  /** Leaves a pulse; where nothing was woken, the newest one only moves on, once for each millisecond. */
  *settle(now: Millis, topics: ReadonlySet<TopicCode>): Steps<void> {
    if (topics.size === 0 && this.#last > 0) {
      if (now > this.#lastAt) yield* touchPulse(this.#last, now);
      return;
    }
    const no = this.#last + 1;
    this.#newest = no;
    this.#own.add(no);
    this.#own.delete(no - REMEMBERED);
    yield* addPulse({ no, at: now, topics: writeTopics(topics, MAX_TOPICS_LENGTH) });
  }

  /** After a transaction that was rolled back: its pulse is not there. */
  forget(): void {
    this.#own.delete(this.#newest);
  }

  /** Whether this process wrote the pulse. */
  isOwn(no: number): boolean {
    return this.#own.has(no);
  }
}
