import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** SQLite's codes, without what they say beyond. */
const BUSY = 5;
const CANNOT_OPEN = 14;

/**
 * The one lock of a store, between the processes of a machine. Node itself has no lock that its system drops with the process;
 * SQLite, which comes with Node, takes one on a file, on every platform. Nothing is ever written to that file.
 *
 * It is held while a function runs and never across an `await`: whoever waits for it waits for less than a write takes.
 */
export class StoreLock {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;

  /** @throws an error of the system when the file cannot be opened */
  constructor(path: string) {
    try {
      this.#database = new DatabaseSync(path, { timeout: 0 });
      // Nothing is ever committed: no file beside this one.
      this.#database.exec("pragma journal_mode = memory");
      this.#begin = this.#database.prepare("begin immediate");
      this.#end = this.#database.prepare("rollback");
    } catch (error) {
      // SQLite does not tell why: the system does.
      if (codeOf(error) === CANNOT_OPEN) closeSync(openSync(path, "a+"));
      throw error;
    }
  }

  /** Does something while no other client of the store does; undefined if one of them does right now. */
  during<T>(work: () => T): { readonly done: T } | undefined {
    try {
      this.#begin.run();
    } catch (error) {
      if (codeOf(error) === BUSY) return undefined;
      throw error;
    }
    try {
      return { done: work() };
    } finally {
      this.#end.run();
    }
  }

  close(): void {
    this.#database.close();
  }
}

function codeOf(error: unknown): number | undefined {
  const { errcode } = Object(error) as { readonly errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}
