import type { Limits, Millis, Topic } from "@perdure/core/storage";
import type { Lanes } from "./lanes.ts";
import type { RunNumbers } from "./run-numbers.ts";
import { alongside, type Steps } from "./steps.ts";
import { type TopicCode, topicCode } from "./topics.ts";

/** What a backend has in common for all its verbs. */
export interface Store {
  /** The number of its namespace. */
  readonly ns: number;
  readonly limits: Limits;
  readonly numbers: RunNumbers;
  readonly lanes: Lanes;
}

/** One transaction of one verb. */
export class Turn implements Store {
  readonly ns: number;
  readonly limits: Limits;
  readonly numbers: RunNumbers;
  readonly lanes: Lanes;
  /** What the transaction may wake. */
  readonly topics: Set<TopicCode> = new Set();
  /** Nobody else writes meanwhile: the time is read once, and rows are as good as locked. */
  readonly isExclusive: boolean;
  readonly #readClock: () => Steps<Millis>;
  #now: Millis = 0;

  constructor({ ns, limits, numbers, lanes }: Store, readClock: () => Steps<Millis>, isExclusive: boolean) {
    this.#readClock = readClock;
    this.isExclusive = isExclusive;
    this.ns = ns;
    this.limits = limits;
    this.numbers = numbers;
    this.lanes = lanes.ofTransaction();
  }

  /** The store's time. Most programs run alongside the question for it: it is known after their first one. */
  get now(): Millis {
    if (this.#now === 0) throw new Error("A verb has asked for the time before it was told.");
    return this.#now;
  }

  *askTime(): Steps<void> {
    this.tell(yield* this.#readClock());
  }

  /** The time was asked along with something else. */
  tell(now: Millis): void {
    this.#now = Math.max(this.#now, now);
  }

  /** What locks rows, and the time when they were locked: so what others have stored in them before is not later. */
  *locked<T>(program: Steps<T>): Steps<T> {
    if (!this.isExclusive) return yield* alongside(program, this.askTime());
    if (this.#now === 0) yield* this.askTime();
    return yield* program;
  }
}

/** Notes that somebody may wait for this. */
export function wake(turn: Turn, of: Topic["of"], name: string): void {
  turn.topics.add(topicCode(of, name));
}
