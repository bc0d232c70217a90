import type { InboxNo, Millis } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";

/** A message for a run's inbox. */
export interface NewMessage {
  readonly runId: string;
  /** When given, only this incarnation of the run accepts it. */
  readonly incarnation?: string;
  /** 1 … 255 UTF-8 bytes, unique per run. */
  readonly dedupeId: string;
  /**
   * `true`: from outside; its dedupe id is remembered until the run closes, and at least `info.limits.dedupeMs` after the
   * ack. `false`: the engine deduplicates by itself; storage may forget the id at the ack.
   */
  readonly external: boolean;
  readonly data: Payload;
}

/** A message as it waits in an inbox. */
export interface StoredMessage {
  readonly no: InboxNo;
  /** When it was accepted. */
  readonly at: Millis;
  readonly dedupeId: string;
  readonly data: Payload;
}

/**
 * - `accepted`: stored, and the run's task was woken in the same write (unless it is leased or blocked).
 * - `duplicate`: a message with this dedupe id was accepted before; nothing was written.
 * - `closed`: the run has its terminal event. `unknown`: no such run, or another incarnation.
 */
export interface DeliverResult {
  readonly status: "accepted" | "duplicate" | "closed" | "unknown";
}
