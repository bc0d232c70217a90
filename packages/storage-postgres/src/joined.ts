import { UsageError } from "@perdure/core/storage";
import { type Connection, decodeRows, type ServerStatement, type StatementResult } from "@perdure/storage-sql";
import { CompiledQuery, type Transaction } from "kysely";
import type { ClientBase } from "pg";
import { PostgresConnection } from "./connection.ts";

/** The connection of a transaction that the caller has begun, and will end: a client of node-postgres, or a transaction of kysely. */
export function joinedConnection(transaction: unknown): Connection {
  if (isKysely(transaction)) return new KyselyConnection(transaction);
  if (isClient(transaction) && !isOver(transaction)) {
    return new PostgresConnection(transaction, { pipelined: false, prefix: null });
  }
  throw notOpen();
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
  readonly #transaction: Transaction<unknown>;
  #isChecked = false;

  constructor(transaction: Transaction<unknown>) {
    // The caller's plugins are for the caller's tables.
    this.#transaction = transaction.withoutPlugins();
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    if (!this.#isChecked) await this.#check();
    const results: StatementResult[] = [];
    for (const { sql, values } of statements) {
      // oxlint-disable-next-line no-await-in-loop
      const { rows, numAffectedRows = 0n } = await this.#transaction.executeQuery(CompiledQuery.raw(sql, [...values]));
      // The caller's driver gives whole numbers as it likes.
      results.push({ rows: decodeRows(rows as object[]), count: Number(numAffectedRows) });
    }
    return results;
  }

  /** A transaction of kysely that is over still executes statements, outside of any. */
  async #check(): Promise<void> {
    try {
      await this.#transaction.executeQuery(CompiledQuery.raw("savepoint perdure"));
      await this.#transaction.executeQuery(CompiledQuery.raw("release savepoint perdure"));
    } catch (error) {
      if ((error as { code?: unknown }).code === "25P01") throw notOpen();
      throw error;
    }
    this.#isChecked = true;
  }
}

/** Whether no transaction has been begun on it, or it has been ended. Older clients do not know. */
function isOver(client: ClientBase): boolean {
  return (client as Partial<ClientBase>).getTransactionStatus?.() === "I";
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
