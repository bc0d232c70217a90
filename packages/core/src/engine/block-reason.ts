import type { Payload } from "../model/payload.ts";

/** Why a run's task is blocked. Plain JSON: tools read it without the codec. */
export interface BlockReason {
  readonly code: "determinism" | "non-durable-await" | "poisoned" | "unreadable" | "refused";
  readonly message: string;
  /** How often in a row the run was blocked. */
  readonly tries: number;
  /** The task's delivery count at the block: later ones count from here. */
  readonly deliveries: number;
}

export function writeBlockReason(reason: BlockReason): Payload {
  return JSON.stringify(reason);
}

export function readBlockReason(payload: Payload | null): BlockReason | null {
  return payload === null ? null : (JSON.parse(payload) as BlockReason);
}

const HOPEFUL_TRIES = 5;

/**
 * How long a blocked run waits for a worker that can go on with it: a second for the first tries, because in a rolling deploy such a
 * worker may be there already; then twice as long each time, up to an hour.
 */
export function blockDelayMs(tries: number): number {
  return Math.min(1_000 * 2 ** Math.max(0, tries - HOPEFUL_TRIES), 3_600_000);
}
