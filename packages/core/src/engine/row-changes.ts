import type { Seq } from "../model/ids.ts";

/** Changes of one field of a run's row that no commit has taken along, each by the seq of the event that records it. */
export class RowChanges<T> {
  #left: { readonly seq: Seq; readonly change: T }[] = [];
  #taken: { readonly seq: Seq; readonly change: T }[] = [];

  add(seq: Seq, change: T): void {
    this.#left.push({ seq, change });
  }

  /** What a commit takes along that has the events up to this seq: the row says what history says, also between the parts of a turn (I3). */
  take(upTo: Seq): readonly T[] {
    this.#taken = this.#left.filter(({ seq }) => seq <= upTo);
    this.#left = this.#left.slice(this.#taken.length);
    return this.#taken.map(({ change }) => change);
  }

  /** What later commits will take along. */
  get left(): readonly T[] {
    return this.#left.map(({ change }) => change);
  }

  /** The commit that {@link take} was for last was refused. */
  restore(): void {
    this.#left = [...this.#taken, ...this.#left];
    this.#taken = [];
  }
}
