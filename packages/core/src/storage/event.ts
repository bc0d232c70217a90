import type { Millis, Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";

/** An event to be appended. Its seq follows from its place in the commit. */
export interface NewEvent {
  readonly type: string;
  readonly command: number | null;
  /** The engine's turn time. Storage never writes into an event. */
  readonly at: Millis;
  readonly data: Payload;
}

/** An event as it was appended. */
export interface StoredEvent extends NewEvent {
  readonly seq: Seq;
}

/** Asks for the events of one run with `seq > after`, at most `limit` (default and cap: `info.limits.eventPage`). */
export interface EventRequest {
  readonly runId: string;
  /** When given and not the run's, the answer is as for an unknown run. */
  readonly incarnation?: string;
  readonly after: Seq;
  readonly limit?: number;
}

/** A dense run of events in seq order. For an unknown run `lastSeq` is 0. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** The run's head at the moment of the read; more is there while the last event's seq is smaller. */
  readonly lastSeq: Seq;
}
