import { compareBytes } from "../storage/byte-order.ts";
import type { RunCursor } from "../storage/cursor.ts";
import type { RunRecord } from "./records.ts";

/** All runs of a namespace: by id, and in the order of listing. */
export class RunList {
  readonly #byId = new Map<string, RunRecord>();
  /** By createdAt, then by id: oldest first. Time goes on, so new runs are at the end; equal times are sorted when read. */
  #byAge: RunRecord[] = [];
  #isSorted = true;
  /** Whether some of those by age were removed: they are taken out when it is read. */
  #hasGone = false;

  get(runId: string): RunRecord | undefined {
    return this.#byId.get(runId);
  }

  add(run: RunRecord): void {
    const newest = this.#byAge.at(-1);
    if (newest !== undefined && compare(newest.start, run.start) > 0) this.#isSorted = false;
    this.#byAge.push(run);
    this.#byId.set(run.start.runId, run);
  }

  removeAll(runs: ReadonlySet<RunRecord>): void {
    for (const run of runs) this.#byId.delete(run.start.runId);
    this.#hasGone ||= runs.size > 0;
  }

  oldestFirst(): readonly RunRecord[] {
    if (this.#hasGone) this.#byAge = this.#byAge.filter((run) => this.#byId.get(run.start.runId) === run);
    this.#hasGone = false;
    if (!this.#isSorted) this.#byAge.sort((a, b) => compare(a.start, b.start));
    this.#isSorted = true;
    return this.#byAge;
  }

  /** Runs in the order of listing: those after a position, or all. */
  *newestFirst(after?: RunCursor): Generator<RunRecord> {
    const runs = this.oldestFirst();
    const end = after === undefined ? runs.length : firstNotBefore(runs, after);
    for (let i = end - 1; i >= 0; i--) yield runs[i]!;
  }
}

/** Index of the first run that does not come before a position. */
function firstNotBefore(runs: readonly RunRecord[], position: RunCursor): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(runs[middle]!.start, position) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: RunCursor, b: RunCursor): number {
  return a.createdAt - b.createdAt || compareBytes(a.runId, b.runId);
}
