import { StorageError } from "@perdure/core/storage";
import type { SqlDriver } from "../driver.ts";
import type { Steps } from "../steps.ts";
import type { Connection, ConnectionPool, Statement, StatementResult } from "./connection.ts";
import { runTogether } from "./run-together.ts";
import type { ServerDialect } from "./server-dialect.ts";
import { Unclear, WaveStatements } from "./wave-statements.ts";
import type { Wave } from "./waves.ts";

/** How often a transaction is tried that the server gives up in favour of another one. */
const ATTEMPTS = 10;

/** Runs programs on a database server: in as few trips as they allow, and again where the server has to give one up. */
export class ServerDriver implements SqlDriver {
  readonly isExclusive = false;
  readonly #dialect: ServerDialect;
  readonly #pool: ConnectionPool;
  readonly #statements: WaveStatements;
  /** The newest program in each transaction of a caller's, to be waited for: within one, no lock keeps programs apart. */
  readonly #joined = new WeakMap<object, Promise<unknown>>();

  constructor(dialect: ServerDialect, pool: ConnectionPool) {
    this.#dialect = dialect;
    this.#pool = pool;
    this.#statements = new WaveStatements(dialect);
  }

  open(): Promise<void> {
    return this.#pool.open();
  }

  read<T>(program: () => Steps<T>): Promise<T> {
    return this.#try("read", program);
  }

  /** Without a transaction. */
  async look<T>(program: () => Steps<T>): Promise<T> {
    const { answer } = await this.#pool.with((connection) =>
      runTogether(program(), (waves) => this.#send(connection, [], waves, [], true)),
    );
    return answer;
  }

  write<T>(program: () => Steps<T>): Promise<T> {
    return this.#try("write", program);
  }

  async #try<T>(kind: "read" | "write", program: () => Steps<T>): Promise<T> {
    let together = true;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pool.with((connection) => this.#transact(connection, kind, program, together));
      } catch (error) {
        if (error instanceof Unclear) together = false;
        else if (!this.#dialect.isConflict(error)) throw error;
        if (attempt >= ATTEMPTS) throw gaveUp(error);
      }
      // Whoever was in the way is given time to end.
      await new Promise((resolve) => void setTimeout(resolve, Math.random() * 2 ** attempt));
    }
  }

  /** Runs a program in a transaction of the caller's, after those that were begun before: what goes wrong there is the caller's to undo. */
  join<T>(transaction: unknown, program: () => Steps<T>): Promise<T> {
    const key = Object(transaction) as object;
    const before = this.#joined.get(key) ?? Promise.resolve();
    const answer = before.then(() => this.#joinNow(transaction, program));
    this.#joined.set(
      key,
      answer.catch(() => {}),
    );
    return answer;
  }

  #joinNow<T>(transaction: unknown, program: () => Steps<T>): Promise<T> {
    return this.#pool.join(transaction, async (connection) => {
      const { answer, rest } = await runTogether(program(), (waves) => this.#send(connection, [], waves, [], false));
      await this.#send(connection, [], rest, [], false);
      return answer;
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #transact<T>(
    connection: Connection,
    kind: "read" | "write",
    program: () => Steps<T>,
    together: boolean,
  ): Promise<T> {
    let begin = this.#dialect.begin[kind];
    try {
      const { answer, rest } = await runTogether(program(), (waves) => {
        const before = begin;
        begin = [];
        return this.#send(connection, before, waves, [], together);
      });
      // A program that asked for nothing needs no transaction.
      if (begin.length === 0 || rest.length > 0) await this.#send(connection, begin, rest, ["commit"], together);
      return answer;
    } catch (error) {
      // Also where the server has done so by itself: a lock that timed out ends a statement only. A connection on which even that
      // fails is thrown away; what failed first is what counts.
      if (begin.length === 0) await connection.send([plain("rollback")]).catch(() => {});
      throw error;
    }
  }

  async #send(
    connection: Connection,
    before: readonly string[],
    waves: readonly Wave[],
    after: readonly string[],
    together: boolean,
  ): Promise<readonly (readonly unknown[])[]> {
    const parts = waves.map((wave) => this.#statements.of(wave, together));
    const statements = [...before.map(plain), ...parts.flat(), ...after.map(plain)];
    if (statements.length === 0) return [];
    const results = await connection.send(statements);
    let at = before.length;
    return waves.map((wave, index) => {
      const from = at;
      at += parts[index]!.length;
      return this.#statements.answers(wave, results.slice(from, at) as StatementResult[]);
    });
  }
}

function plain(sql: string): Statement {
  return { sql, values: [] };
}

function gaveUp(cause: unknown): StorageError {
  return new StorageError(
    "unavailable",
    `The database gave the same transaction up ${ATTEMPTS} times in favour of others. Try again later.`,
    { cause },
  );
}
