import type { Logger } from "../model/logger.ts";

/** What an activity's code knows about the attempt that it is. */
export interface ActivityContext {
  readonly runId: string;
  readonly workflow: string;
  readonly name: string;
  /** 1-based. */
  readonly attempt: number;
  /** The same for every attempt and every re-execution of this call: hand it to the system that is called. */
  readonly idempotencyKey: string;
  /** Fires when the attempt timed out, the run was cancelled or closed, or the worker cannot prove any more that it owns the run. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Says that the attempt is alive. */
  heartbeat(): void;
  /**
   * Stores how far the activity has come, in place of what was stored before: its next attempt finds it as `lastCheckpoint`, also on
   * another worker. Durable when it resolves; deleted with the run.
   * @throws CancelledError when this attempt does not own the activity any more. UsageError `not-serializable`, `payload-too-large`.
   */
  checkpoint(value: unknown): Promise<void>;
  /** What the newest `checkpoint` of this call's earlier attempts stored; `undefined` without one. */
  readonly lastCheckpoint: unknown;
}

/**
 * Has a function do its work in a transaction of yours: begins one, calls `run` with it, commits when `run` has resolved and rolls
 * back when it has rejected; then answers or throws what `run` did. It may call `run` again after a roll-back.
 */
export type RunInTransaction<Tx> = <T>(run: (tx: Tx) => Promise<T>) => Promise<T>;

/** What a transactional activity's code knows about its attempt. It has no checkpoints: an attempt that fails leaves nothing behind. */
export interface TransactionalContext<Tx> extends Omit<ActivityContext, "checkpoint" | "lastCheckpoint"> {
  /** The open transaction: what the code writes with it is there if, and only if, the activity's result is recorded. */
  readonly tx: Tx;
}
