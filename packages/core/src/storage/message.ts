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
   * `true`: from outside; its dedupe id is remembered for at least `info.limits.dedupeMs` after the ack, and what is
   * remembered when the run closes stays so until the run is purged. `false`: the engine deduplicates by itself; storage may
   * forget the id at the ack.
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
 * - `duplicate`: a message with this dedupe id was accepted before, and the id is still remembered; nothing was written. It comes
 *   before `closed`: a sender whose answer was lost hears that its message had arrived, though the run has closed since.
 * - `closed`: the run has its terminal event. `unknown`: no such run, or another incarnation.
 */
export interface DeliverResult {
  readonly status: "accepted" | "duplicate" | "closed" | "unknown";
}
