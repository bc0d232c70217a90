import { UsageError } from "@perdure/core/storage";
import { checkOpen, type Connection, isKyselyTransaction, joinKysely, undisturbed } from "@perdure/storage-sql";
import type { ClientBase } from "pg";
import { PostgresConnection } from "./connection.ts";

type Use<T> = (connection: Connection) => Promise<T>;

/**
 * Has the connection of a transaction used that the caller has begun, and will end: a client of node-postgres, or a transaction of
 * kysely. What the caller asks it for meanwhile waits.
 */
export async function join<T>(transaction: unknown, use: Use<T>): Promise<T> {
  const useChecked: Use<T> = async (connection) => {
    await checkOpen(connection, isOutsideTransaction, notOpen);
    return use(connection);
  };
  if (isKyselyTransaction(transaction)) return joinKysely(transaction, useChecked);
  if (!isClient(transaction)) throw notOpen();
  return undisturbed(
    transaction,
    "query",
    (own) => useChecked(new PostgresConnection(transaction, { pipelined: false, prefix: null, own })),
    isSubmittable,
  );
}

function isOutsideTransaction(error: unknown): boolean {
  return (error as { code?: unknown }).code === "25P01";
}

function notOpen(): UsageError {
  return new UsageError(
    "invalid-argument",
    "postgres: tx must be a client of node-postgres with an open transaction, or an open transaction of kysely. " +
      "A pool has no transaction: take a client of it.",
    { details: { field: "tx" } },
  );
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
