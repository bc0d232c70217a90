import type { Millis } from "../model/ids.ts";
import type { ClosedStatus, RunStatus } from "../model/run.ts";
import type { TaskKind } from "./task.ts";

/** Counts of one queue's tasks of one kind at one moment. Each task counts once: the first of these that is true of it. */
export interface QueueStats {
  readonly queue: string;
  readonly kind: TaskKind;
  /** Claimable now: also after a lease or a block that has ended. */
  readonly ready: number;
  /** Under a live lease. */
  readonly leased: number;
  readonly blocked: number;
  /** Parked until a time or a message. */
  readonly waiting: number;
  /** Since when the oldest of the ready ones is claimable. */
  readonly oldestReadyAt: Millis | null;
}

/** Counts equal a fold over the lists of runs and tasks (I20). */
export interface StorageStats {
  readonly now: Millis;
  readonly runs: Readonly<Record<RunStatus, number>>;
  /** Queues that have a task, in byte order of queue, then kind. */
  readonly queues: readonly QueueStats[];
  /**
   * Messages that were accepted and then discarded by a `close` with `discardUnread`. Those of purged runs may no longer
   * count.
   */
  readonly discardedMessages: number;
}

/**
 * Deletes closed runs whose task is gone, that were closed before `closedBefore` and at least `minAgeMs` ago, and whose parent
 * (this incarnation of it) is gone or closed: with everything that they left (I26).
 */
export interface PurgeRequest {
  readonly closedBefore: Millis;
  /** Default 1 h. Tests set 0. */
  readonly minAgeMs?: number;
  readonly status?: readonly ClosedStatus[];
  readonly runIds?: readonly string[];
  /** At most this many runs in one call; capped by `info.limits.purgeRuns`. */
  readonly limit: number;
}

/** What a purge has done. */
export interface PurgeResult {
  readonly purged: number;
  /** Another call may find more. */
  readonly more: boolean;
}

/** What a hint is about. */
export type Topic =
  | { readonly of: "queue"; readonly queue: string }
  | { readonly of: "inbox"; readonly runId: string }
  | { readonly of: "closed"; readonly runId: string };

/** A set of topics that somebody waits on. A hint may still come after `delete`, and none after `close`. */
export interface Subscription {
  add(topic: Topic): void;
  delete(topic: Topic): void;
  close(): Promise<void>;
}
