/** A sleep, as the code and as its run's history saw it. */
export interface Nap {
  readonly runId: string;
  /** How long the code asked to sleep. */
  readonly ms: number;
  /** How long it was until it went on, by this process's clock. */
  readonly sleptMs: number;
  /** When it was due and when it was recorded as over, by the storage's clock. */
  readonly dueAt: number;
  readonly firedAt: number;
}

/** The storage's clock counts whole milliseconds. */
const CLOCK_MS = 1;

/**
 * How many milliseconds longer than asked for a sleep was.
 * @throws Error if it ended early, by either clock (I10)
 */
export function lateness({ runId, ms, sleptMs, dueAt, firedAt }: Nap): number {
  if (firedAt < dueAt) throw new Error(`The timer of run "${runId}" fired ${dueAt - firedAt} ms before it was due.`);
  if (sleptMs < ms - CLOCK_MS) throw new Error(`Run "${runId}" slept ${sleptMs} ms of ${ms}: it was woken early.`);
  return Math.max(0, sleptMs - ms);
}
