import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** SQLite's codes, without what they say beyond. */
const BUSY = 5;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;

/**
 * The one lock of a store, between the processes of a machine. Node itself has no lock that its system drops with the process;
 * SQLite, which comes with Node, takes one on a file, on every platform. Nothing is ever written to that file.
 *
 * It is held while a function runs and never across an `await`: whoever waits for it waits for less than a write takes.
 */
export class StoreLock {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;

  /** @throws an error of the system when the file cannot be opened */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#database = new DatabaseSync(path, { timeout: 0 });
    } catch (error) {
      throw this.#explained(error);
    }
    // Nothing is ever committed: no file beside this one.
    this.#database.exec("pragma journal_mode = memory");
    this.#begin = this.#database.prepare("begin immediate");
    this.#end = this.#database.prepare("rollback");
  }

  /** Does something while no other client of the store does; undefined if one of them does right now. */
  during<T>(work: () => T): { readonly done: T } | undefined {
    try {
      this.#begin.run();
    } catch (error) {
      if (codeOf(error) === BUSY) return undefined;
      throw this.#explained(error);
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

  /** SQLite does not tell why it cannot open or write a file: the system does. Answers what it has nothing to say of. */
  #explained(error: unknown): unknown {
    const code = codeOf(error);
    if (code === CANNOT_OPEN || code === READ_ONLY) closeSync(openSync(this.#path, "a+"));
    return error;
  }
}

function codeOf(error: unknown): number | undefined {
  const { errcode } = Object(error) as { readonly errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}
