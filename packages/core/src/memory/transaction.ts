import { StorageError } from "../errors/storage-error.ts";
import { UsageError } from "../errors/usage-error.ts";
import type { WriteOptions } from "../storage/backend.ts";
import type { Namespace } from "./store.ts";
import { trialOf } from "./trial.ts";

interface Answer {
  readonly status: string;
}

/** One verb's writes into a namespace, and what it answers. */
type Write<R extends Answer> = (space: Namespace) => readonly R[];

/**
 * A caller's transaction. Nothing that it writes is in the store before its end: what a verb answers inside is found out on a copy
 * of the runs that it concerns. At its end all is written in one step, if it would be answered as it was.
 */
export class MemoryTransaction {
  readonly #space: Namespace;
  readonly #runIds = new Set<string>();
  readonly #written: { readonly write: Write<Answer>; readonly told: readonly string[] }[] = [];
  #isOver = false;

  /** @internal */
  constructor(space: Namespace) {
    this.#space = space;
  }

  /** @internal */
  isOpenIn(space: Namespace): boolean {
    return this.#space === space && !this.#isOver;
  }

  /** @internal */
  write<R extends Answer>(runIds: readonly string[], write: Write<R>): readonly R[] {
    for (const runId of runIds) this.#runIds.add(runId);
    const answers = write(this.#trial());
    this.#written.push({ write, told: answers.map(({ status }) => status) });
    return answers;
  }

  /** @internal */
  commit(): void {
    this.#trial();
    for (const { write } of this.#written) write(this.#space);
  }

  /** @internal */
  end(): void {
    this.#isOver = true;
  }

  /** The runs as they are now, with all that was written here. @throws StorageError `unavailable` if that is answered differently now */
  #trial(): Namespace {
    const trial = trialOf(this.#space, this.#runIds);
    for (const { write, told } of this.#written) {
      if (write(trial).some(({ status }, at) => status !== told[at])) throw outdated();
    }
    return trial;
  }
}

/**
 * Writes elements at once, or in the caller's transaction.
 * @throws UsageError `invalid-argument` for what is no open transaction of this namespace
 */
export function writeIn<E, R extends Answer>(
  space: Namespace,
  { tx }: WriteOptions,
  elements: readonly E[],
  runIdOf: (element: E) => string,
  write: (space: Namespace, elements: readonly E[]) => readonly R[],
): readonly R[] {
  if (tx === undefined) return write(space, elements);
  if (!(tx instanceof MemoryTransaction) || !tx.isOpenIn(space)) throw notOpen();
  // What is passed in may be changed by the caller before the end.
  const kept = structuredClone(elements);
  return tx.write(kept.map(runIdOf), (into) => write(into, kept));
}

function outdated(): StorageError {
  return new StorageError(
    "unavailable",
    "The transaction was rolled back: others have written to its runs meanwhile, and what it was told is not so any more. Repeat all of it.",
  );
}

function notOpen(): UsageError {
  return new UsageError(
    "invalid-argument",
    "What was passed as tx is no open transaction of this memory storage. Pass what its transaction(…) gives, before that resolves.",
  );
}
