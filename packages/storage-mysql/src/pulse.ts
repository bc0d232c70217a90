import type { Millis } from "@perdure/core/storage";
import { query, tidings, type TopicCode } from "@perdure/storage-sql";

/** Longer lists of topics are announced as "anything". */
const MAX_LENGTH = 4_000;

export interface Pulse {
  readonly at: Millis;
  readonly topics: string;
}

/** What a transaction woke. `origin` tells whose it is; empty if all are to hear it. */
export function pulse(at: Millis, origin: string, topics: ReadonlySet<TopicCode>): Pulse {
  return { at, topics: tidings(origin, topics, MAX_LENGTH) };
}

export const insertPulse = query((db, { at, topics }: Pulse) => db.insertInto("perdure_pulse").values({ at, topics }));
