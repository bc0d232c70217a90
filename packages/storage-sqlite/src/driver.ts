import { setImmediate, setTimeout } from "node:timers/promises";
import { StorageError } from "@perdure/core/storage";
import {
  compile,
  kyselyFor,
  runSync,
  type SqlDialect,
  type SqlDriver,
  type Step,
  type Steps,
} from "@perdure/storage-sql";
import Database from "better-sqlite3";
import { isBusy } from "./errors.ts";
import type { Settings } from "./options.ts";
import { checkPlace } from "./place.ts";

/** How long a wait for another process sleeps at first: no timer of the event loop is as short as what it waits for. */
const NAP_MS = 0.2;
/** How often, before it leaves the time in between to the event loop. */
const NAPS = 50;
const never = new Int32Array(new SharedArrayBuffer(4));

interface Prepared {
  readonly statement: Database.Statement;
  readonly bind: (args: object) => unknown[];
}

/**
 * One connection. Programs run synchronously, in a transaction each: no statement waits for the event loop, and no other verb of
 * this process comes between. Another process's transaction is waited for without blocking the event loop, but for naps.
 */
export class SqliteDriver implements SqlDriver {
  readonly isExclusive = true;
  readonly #settings: Settings;
  readonly #dialect: SqlDialect;
  readonly #onRollback: () => void;
  readonly #kysely: ReturnType<typeof kyselyFor>;
  readonly #prepared: (Prepared | undefined)[] = [];
  readonly #commands = new Map<string, Database.Statement>();
  readonly #execute = (step: Step): unknown => this.#executeStep(step);
  #database: Database.Database | undefined;
  #file = "";

  constructor(settings: Settings, dialect: SqlDialect, onRollback: () => void) {
    this.#settings = settings;
    this.#dialect = dialect;
    this.#onRollback = onRollback;
    this.#kysely = kyselyFor(dialect);
  }

  /** Real path of the open file; empty for one in memory. */
  get file(): string {
    return this.#file;
  }

  async open(): Promise<void> {
    const { path, migrate, synchronous } = this.#settings;
    const isInMemory = path === ":memory:";
    this.#file = isInMemory ? "" : checkPlace(path, migrate === "auto");
    const database = new Database(isInMemory ? path : this.#file, { timeout: 0 });
    this.#database = database;
    try {
      await this.#patiently(() => {
        const mode = database.pragma("journal_mode = wal", { simple: true });
        if (mode !== "wal" && !isInMemory) throw noWal(path, mode);
      });
      database.pragma(`synchronous = ${synchronous}`);
      database.pragma("foreign_keys = off");
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  read<T>(program: () => Steps<T>): T | Promise<T> {
    return this.#run("begin", program);
  }

  look<T>(program: () => Steps<T>): T | Promise<T> {
    return this.read(program);
  }

  write<T>(program: () => Steps<T>): T | Promise<T> {
    return this.#run("begin immediate", program);
  }

  async close(): Promise<void> {
    this.#prepared.length = 0;
    this.#commands.clear();
    this.#database?.close();
    this.#database = undefined;
  }

  /** Runs a short program of reads in no transaction of its own. */
  peek<T>(program: Steps<T>): T {
    return runSync(program, this.#execute);
  }

  #run<T>(begin: string, program: () => Steps<T>): T | Promise<T> {
    try {
      return this.#transact(begin, program);
    } catch (error) {
      if (!isBusy(error)) throw error;
      return this.#patiently(() => this.#transact(begin, program));
    }
  }

  #transact<T>(begin: string, program: () => Steps<T>): T {
    const database = this.#connection();
    this.#command(begin);
    try {
      const answer = runSync(program(), this.#execute);
      this.#command("commit");
      return answer;
    } catch (error) {
      if (database.inTransaction) this.#command("rollback");
      this.#onRollback();
      throw error;
    }
  }

  /**
   * Tries again while others hold the lock, until `busyTimeout` is over. They hold it for a millisecond or two, and take it again
   * soon: who sleeps for longer than that misses its turn.
   */
  async #patiently<T>(attempt: () => T): Promise<T> {
    const giveUpAt = performance.now() + this.#settings.busyTimeout;
    for (let tries = 0; ; tries++) {
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= giveUpAt) throw error;
      }
      if (tries < NAPS) Atomics.wait(never, 0, 0, NAP_MS);
      await (tries < NAPS ? setImmediate() : setTimeout(Math.min(tries - NAPS + 1, 10)));
    }
  }

  #command(sql: string): void {
    const database = this.#connection();
    let command = this.#commands.get(sql);
    if (command === undefined) this.#commands.set(sql, (command = database.prepare(sql)));
    command.run();
  }

  #executeStep({ query, args, want }: Step): unknown {
    const { statement, bind } = this.#prepared[query.id] ?? this.#prepare(query);
    const values = bind(args);
    if (want === "count" || want === "nothing") return statement.run(values).changes;
    return want === "row" ? statement.get(values) : statement.all(values);
  }

  #prepare(query: Step["query"]): Prepared {
    const { sql, bind } = compile(query, this.#kysely, this.#dialect);
    const prepared = { statement: this.#connection().prepare(sql), bind };
    if (!query.isTransient) this.#prepared[query.id] = prepared;
    return prepared;
  }

  #connection(): Database.Database {
    if (this.#database !== undefined) return this.#database;
    throw new StorageError("misconfigured", `The connection to ${this.#settings.path} is not open.`);
  }
}

function noWal(path: string, mode: unknown): StorageError {
  return new StorageError(
    "misconfigured",
    `The SQLite file ${path} stays in journal mode ${String(mode)}, and Perdure needs its write-ahead log. ` +
      "Put the file on a local file system.",
    { details: { path } },
  );
}
