import type { RenewResult } from "../storage/task.ts";

/** What a worker does with a task that it has claimed, as those see it who look after its claims. */
export interface Held {
  /** Takes in the answer to a renewal that was sent at `sentAt` (monotonic). */
  renewed(result: RenewResult, sentAt: number): void;
  /** Stops everything: this worker cannot prove any more that the task is its own. */
  lose(): void;
  /**
   * The end of its claim is written in a transaction of the user's that may still be open. Whatever touches the task waits for that, so
   * it is not renewed with others.
   */
  readonly isEnding: boolean;
  /** Begins nothing new, lets what runs end (not if `hard`), then gives the task back. */
  drain(hard: boolean): void;
  /**
   * Has attempts recorded that have been running since before `startedBefore` (monotonic). Answers whether it has just begun to
   * listen to something, and may have missed it.
   */
  noticeSlow(startedBefore: number): boolean;
}
