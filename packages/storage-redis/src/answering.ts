import { isPerdureError, StorageError } from "@perdure/core/storage";

/** How long those who have answered wait for the others. */
const PATIENCE_MS = 1_000;

/**
 * Asks several shards, and waits for none that is silent while others answer: its master may be dead or stand still, and nothing of the others hangs
 * on it. One that still owes an answer is not asked again.
 */
export class Answering {
  readonly #silent = new Set<number>();
  readonly #fellSilent: () => void;

  /** @param fellSilent is called when a shard is waited for no longer */
  constructor(fellSilent: () => void) {
    this.#fellSilent = fellSilent;
  }

  /**
   * What each shard has answered, by the order of `shards`; undefined for one that is out of reach.
   * @throws StorageError if none answers, or one for another reason than that it is `unavailable`
   */
  async ask<T>(shards: readonly number[], question: (shard: number) => Promise<T>): Promise<(T | undefined)[]> {
    const answers = new Map<number, T>();
    const failures: unknown[] = [];
    const owing = new Set(shards.filter((shard) => !this.#silent.has(shard)));
    const asked = [...owing].map(async (shard) => {
      try {
        answers.set(shard, await question(shard));
      } catch (error) {
        failures.push(error);
        throw error;
      } finally {
        owing.delete(shard);
        this.#silent.delete(shard);
      }
    });
    await enough(asked);
    for (const shard of owing) this.#silent.add(shard);
    if (owing.size > 0) this.#fellSilent();
    const grave = failures.find((error) => !isPerdureError(error, "unavailable"));
    if (grave !== undefined) throw grave;
    if (answers.size === 0 && shards.length > 0) throw failures[0] ?? allSilent();
    return shards.map((shard) => answers.get(shard));
  }
}

/** Resolves when all are settled; or some time has passed, and at least one has come. */
async function enough(promises: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  const all = Promise.allSettled(promises);
  const some = Promise.any(promises).then(() => patience);
  try {
    await Promise.race([all, some.catch(() => all)]);
  } finally {
    clearTimeout(timer);
  }
}

function allSilent(): StorageError {
  return new StorageError("unavailable", "No master of the Redis Cluster answers. Try again.");
}
