import { UsageError } from "@perdure/core/storage";
import {
  type Connection,
  decodeRows,
  type Own,
  type ServerStatement,
  type StatementResult,
  undisturbed,
} from "@perdure/storage-sql";
import { CompiledQuery, type DatabaseConnection, type Transaction } from "kysely";
import type { ClientBase } from "pg";
import { PostgresConnection } from "./connection.ts";

type Use<T> = (connection: Connection) => Promise<T>;

/**
 * Has the connection of a transaction used that the caller has begun, and will end: a client of node-postgres, or a transaction of
 * kysely. What the caller asks it for meanwhile waits.
 */
export async function join<T>(transaction: unknown, use: Use<T>): Promise<T> {
  if (isKysely(transaction)) {
    return transaction.getExecutor().provideConnection((connection) =>
      // What kysely itself sends does not wait for its turn.
      undisturbed(connection, "executeQuery", (own) => useChecked(new KyselyConnection(connection, own), use)),
    );
  }
  if (!isClient(transaction)) throw notOpen();
  return undisturbed(
    transaction,
    "query",
    (own) => useChecked(new PostgresConnection(transaction, { pipelined: false, prefix: null, own }), use),
    isSubmittable,
  );
}

/** A transaction may be over, or its end be under way: the connection would still execute statements, outside of any. */
async function useChecked<T>(connection: Connection, use: Use<T>): Promise<T> {
  try {
    await connection.send(["savepoint perdure", "release savepoint perdure"].map((sql) => ({ sql, values: [] })));
  } catch (error) {
    if ((error as { code?: unknown }).code === "25P01") throw notOpen();
    throw error;
  }
  return use(connection);
}

function notOpen(): UsageError {
  return new UsageError(
    "invalid-argument",
    "postgres: tx must be a client of node-postgres with an open transaction, or an open transaction of kysely. " +
      "A pool has no transaction: take a client of it.",
    { details: { field: "tx" } },
  );
}

class KyselyConnection implements Connection {
  readonly #connection: DatabaseConnection;
  readonly #own: Own;

  constructor(connection: DatabaseConnection, own: Own) {
    this.#connection = connection;
    this.#own = own;
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    const results: StatementResult[] = [];
    for (const { sql, values } of statements) {
      const query = CompiledQuery.raw(sql, [...values]);
      // oxlint-disable-next-line no-await-in-loop
      const { rows, numAffectedRows = 0n } = await this.#own(() => this.#connection.executeQuery(query));
      // The caller's driver gives whole numbers as it likes.
      results.push({ rows: decodeRows(rows as object[]), count: Number(numAffectedRows) });
    }
    return results;
  }
}

function isKysely(transaction: unknown): transaction is Transaction<unknown> {
  const { executeQuery, isTransaction } = (transaction ?? {}) as Partial<Transaction<unknown>>;
  return typeof executeQuery === "function" && isTransaction === true;
}

function isClient(transaction: unknown): transaction is ClientBase {
  const { query, escapeLiteral } = (transaction ?? {}) as Partial<ClientBase>;
  // A pool has no such method, and no transaction either.
  return typeof query === "function" && typeof escapeLiteral === "function";
}

/** A query with a life of its own, as a cursor: whoever sends it has it already. */
function isSubmittable(query: unknown): boolean {
  return typeof (query as { readonly submit?: unknown } | undefined)?.submit === "function";
}
