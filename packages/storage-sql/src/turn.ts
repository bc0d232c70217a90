import type { Limits, Millis, Topic } from "@perdure/core/storage";
import type { Lanes } from "./lanes.ts";
import type { RunNumbers } from "./run-numbers.ts";
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
export interface Turn extends Store {
  /** The store's time, read once. */
  readonly now: Millis;
  /** What the transaction may wake. */
  readonly topics: Set<TopicCode>;
}

/** Notes that somebody may wait for this. */
export function wake(turn: Turn, of: Topic["of"], name: string): void {
  turn.topics.add(topicCode(of, name));
}
