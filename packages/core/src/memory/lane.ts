import type { Millis } from "../model/ids.ts";
import { Heap, type Place } from "./heap.ts";

/** What one step of priority is worth in waiting time (I27: so nothing starves). */
const PRIORITY_STEP_MS = 10_000;

/** What the order of claiming looks at. */
interface Claimable {
  readonly visibleAt: Millis | null;
  readonly priority: number;
}

/**
 * Tasks that a worker can claim all of, or none: first those that wait, by time; then those that are ready, in the order of
 * claiming. Leased tasks wait here too, for the end of their lease.
 */
export class Lane<T extends Claimable> {
  readonly #waiting = new Heap<T>();
  readonly #ready = new Heap<T>();

  add(task: T, at: Millis): Place<T> {
    return this.#waiting.add(task, at);
  }

  /** The task that is claimed first, if one is ready. */
  first(now: Millis): T | undefined {
    for (let due = this.#waiting.first; due !== undefined && due.key <= now; due = this.#waiting.first) {
      this.#ready.move(due, rank(due.value));
    }
    return this.#ready.first?.value;
  }

  /** When the next task is claimable, if nobody interferes. */
  nextAt(now: Millis): Millis | null {
    if (this.first(now) !== undefined) return now;
    return this.#waiting.first?.key ?? null;
  }
}

/** A task's place in the order of claiming: least first. */
export function rank(task: Claimable): number {
  return (task.visibleAt ?? Infinity) - task.priority * PRIORITY_STEP_MS;
}
