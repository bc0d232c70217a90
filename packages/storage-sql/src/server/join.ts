import { CompiledQuery, type DatabaseConnection, type Transaction } from "kysely";
import type { Connection, Statement, StatementResult } from "./connection.ts";
import { decodeRows } from "./decode-rows.ts";
import { type Own, undisturbed } from "./undisturbed.ts";

/** Whether it is a transaction of kysely, also of another copy of it. */
export function isKyselyTransaction(value: unknown): value is Transaction<unknown> {
  const { executeQuery, isTransaction } = (value ?? {}) as Partial<Transaction<unknown>>;
  return typeof executeQuery === "function" && isTransaction === true;
}

/** Has the connection of such a transaction used. What the caller asks it for meanwhile waits; what kysely itself sends does not. */
export async function joinKysely<T>(
  transaction: Transaction<unknown>,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  return transaction
    .getExecutor()
    .provideConnection((connection) =>
      undisturbed(connection, "executeQuery", (own) => use(new KyselyConnection(connection, own))),
    );
}

/**
 * Throws unless the connection is in a transaction. One may be over, or its end be under way: the connection would still execute
 * statements, outside of any. In a transaction, and in no other case, a savepoint is there to be released.
 * @param isRefusal whether an error of the database says that there is no transaction, or no savepoint
 * @param refuse makes what is thrown then
 */
export async function checkOpen(
  connection: Connection,
  isRefusal: (error: unknown) => boolean,
  refuse: () => Error,
): Promise<void> {
  try {
    await connection.send(["savepoint perdure", "release savepoint perdure"].map((sql) => ({ sql, values: [] })));
  } catch (error) {
    throw isRefusal(error) ? refuse() : error;
  }
}

class KyselyConnection implements Connection {
  readonly #connection: DatabaseConnection;
  readonly #own: Own;

  constructor(connection: DatabaseConnection, own: Own) {
    this.#connection = connection;
    this.#own = own;
  }

  async send(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    const results: StatementResult[] = [];
    for (const { sql, values } of statements) {
      const query = CompiledQuery.raw(sql, [...values]);
      const { rows, numAffectedRows = 0n } = await this.#own(() => this.#connection.executeQuery(query));
      // The caller's driver gives texts and numbers as it likes.
      results.push({ rows: decodeRows(rows as object[]), count: Number(numAffectedRows) });
    }
    return results;
  }
}
