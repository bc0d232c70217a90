/**
 * Time and randomness, injected everywhere below the worker and the client, so that tests drive both.
 * The real one is made by `runtime/real-runtime.ts`.
 */
export interface Runtime {
  /** Milliseconds of a clock that never steps; only differences mean something. */
  readonly monotonic: () => number;
  /**
   * Calls `fn` once after `ms` (any length); answers how to call it off. With `poll` it is only a look in case a hint was lost:
   * nothing is known to happen then, and virtual time does not stop for it.
   */
  readonly after: (ms: number, fn: () => void, options?: { readonly poll?: boolean }) => () => void;
  /** Calls `fn` after everything that is ready to run now has run. */
  readonly defer: (fn: () => void) => void;
  /** Resolves when all microtasks that are queued now, and those they queue, have run. */
  readonly settle: () => Promise<void>;
  /** Random text of 22 characters `[0-9A-Za-z_-]`: 128 bits. */
  readonly id: () => string;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}
