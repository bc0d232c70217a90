import { StorageError, type Subject } from "@perdure/core/storage";
import { markOf } from "./mark.ts";

/** Bytes that are not what was written. */
export interface Damage {
  readonly file: string;
  readonly offset: number;
  /** What the bytes were about; `all`: that is not known; `nothing`: nothing is missing without them. */
  readonly of: { readonly mark: string } | "all" | "nothing";
}

/** All damage that was found in a store. What it concerns cannot be read, and nothing can be written any more. */
export class Damages {
  readonly #byMark = new Map<string, Damage>();
  #first: Damage | undefined;
  #ofAll: Damage | undefined;

  add(damage: Damage): void {
    this.#first ??= damage;
    if (damage.of === "all") this.#ofAll ??= damage;
    else if (damage.of !== "nothing" && !this.#byMark.has(damage.of.mark)) this.#byMark.set(damage.of.mark, damage);
  }

  get any(): boolean {
    return this.#first !== undefined;
  }

  concerns(mark: string): boolean {
    return this.#byMark.has(mark);
  }

  /** @throws StorageError `corrupt` if there is any */
  checkAll(): void {
    if (this.#first !== undefined) throw corrupt(this.#first, "The store");
  }

  /** @throws StorageError `corrupt` if this may not be what was written last */
  check(namespace: string, subject: Subject): void {
    if (this.#first === undefined) return;
    const damage = this.#ofAll ?? this.#byMark.get(markOf(namespace, subject));
    if (damage === undefined) return;
    throw corrupt(damage, subject.of === "run" ? `Run "${subject.runId}"` : `Cache entry "${subject.key}"`);
  }
}

function corrupt({ file, offset }: Damage, what: string): StorageError {
  return new StorageError(
    "corrupt",
    `${what} is damaged: ${file} does not hold at byte ${offset} what was written there. Nothing more is written; runs that it does not concern can be read by their ids. Restore a backup.`,
    { details: { file, offset } },
  );
}
