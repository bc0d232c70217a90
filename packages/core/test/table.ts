/** A table of the user's in the database of a storage: its rows are there when their transaction has committed. */
import type { MemoryStorage, MemoryTransaction } from "../src/memory.ts";

export class Table {
  readonly rows: string[] = [];
  /** Transactions that were begun, and those that have ended. */
  begun = 0;
  ended = 0;
  readonly #storage: MemoryStorage;
  readonly #staged = new WeakMap<MemoryTransaction, string[]>();

  constructor(storage: MemoryStorage) {
    this.#storage = storage;
  }

  /** Takes rows for a transaction that was begun elsewhere. */
  adopt(tx: MemoryTransaction): void {
    this.#staged.set(tx, []);
  }

  insert(tx: MemoryTransaction, row: string): void {
    this.#staged.get(tx)!.push(row);
  }

  readonly transaction = async <T>(run: (tx: MemoryTransaction) => Promise<T>): Promise<T> => {
    const staged: string[] = [];
    this.begun++;
    try {
      const answer = await this.#storage.transaction((tx) => {
        this.#staged.set(tx, staged);
        return run(tx);
      });
      this.rows.push(...staged);
      return answer;
    } finally {
      this.ended++;
    }
  };
}
