import { UsageError } from "@perdure/core/storage";
import { type Connection, decodeRows, type ServerStatement, type StatementResult } from "@perdure/storage-sql";
import { CompiledQuery, MysqlAdapter, type Transaction } from "kysely";
import type { Connection as MysqlClient, ResultSetHeader } from "mysql2";
import { clientOf } from "./client.ts";
import { type Bounds, MysqlConnection } from "./connection.ts";
import { checkSession } from "./session.ts";

/** The connection of a transaction that the caller has begun, and will end: one of mysql2, or a transaction of kysely. */
export function joinedConnection(transaction: unknown, bounds: Bounds): Connection {
  if (isKysely(transaction)) {
    const connection = new KyselyConnection(transaction);
    return new JoinedConnection(connection, () => checkKysely(connection));
  }
  const client = clientOf(transaction);
  if (client === undefined) throw noTransaction();
  const connection = new MysqlConnection(client, bounds);
  return new JoinedConnection(connection, () => checkTransaction(client, connection));
}

/**
 * A connection in the caller's transaction. With MySQL's default isolation it reads a moment in the past, and may miss what our
 * inserts find in their way: what is missing is looked for once more, as it is now. That takes locks, also of gaps between rows, so
 * it is not done for what is there.
 */
class JoinedConnection implements Connection {
  readonly #connection: Connection;
  readonly #check: () => Promise<void>;
  #checked: Promise<void> | undefined;

  constructor(connection: Connection, check: () => Promise<void>) {
    this.#connection = connection;
    this.#check = check;
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    await (this.#checked ??= this.#check());
    const results = [...(await this.#connection.send(statements))];
    for (const [at, statement] of statements.entries()) {
      if (results[at]!.rows.length > 0 || !isPlainRead(statement)) continue;
      // oxlint-disable-next-line no-await-in-loop
      const [now] = await this.#connection.send([{ ...statement, sql: `${statement.sql} lock in share mode` }]);
      results[at] = now!;
    }
    return results;
  }
}

function isPlainRead({ sql }: ServerStatement): boolean {
  return sql.startsWith("select ") && !sql.includes(" for update");
}

class KyselyConnection implements Connection {
  readonly #transaction: Transaction<unknown>;

  constructor(transaction: Transaction<unknown>) {
    // The caller's plugins are for the caller's tables.
    this.#transaction = transaction.withoutPlugins();
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    const results: StatementResult[] = [];
    for (const { sql, values } of statements) {
      // oxlint-disable-next-line no-await-in-loop
      const { rows, numAffectedRows = 0n } = await this.#transaction.executeQuery(CompiledQuery.raw(sql, [...values]));
      // The caller's driver gives texts and numbers as it likes.
      results.push({ rows: decodeRows(rows as object[]), count: Number(numAffectedRows) });
    }
    return results;
  }
}

/** In a transaction, and in no other case, a savepoint is there to be released. */
async function checkKysely(connection: Connection): Promise<void> {
  try {
    await connection.send(["savepoint perdure", "release savepoint perdure"].map((sql) => ({ sql, values: [] })));
  } catch (error) {
    if ((error as { errno?: unknown }).errno === NO_SAVEPOINT) throw noTransaction();
    throw error;
  }
  await checkSession(connection);
}

const NO_SAVEPOINT = 1305;

/** Connections whose sessions are known to be safe. */
const checked = new WeakSet<MysqlClient>();

async function checkTransaction(client: MysqlClient, connection: Connection): Promise<void> {
  if (!(await isInTransaction(client))) throw noTransaction();
  if (checked.has(client)) return;
  await checkSession(connection);
  checked.add(client);
}

/** Whether a statement would not be committed at once. Every answer of the server says so. */
async function isInTransaction(client: MysqlClient): Promise<boolean> {
  const { serverStatus } = await new Promise<ResultSetHeader>((resolve, reject) => {
    client.query<ResultSetHeader>("do 0", (error, header) => (error === null ? resolve(header) : reject(error)));
  });
  return (serverStatus & IN_TRANSACTION) !== 0 || (serverStatus & AUTOCOMMIT) === 0;
}

const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

function isKysely(transaction: unknown): transaction is Transaction<unknown> {
  const { executeQuery, isTransaction, getExecutor } = (transaction ?? {}) as Partial<Transaction<unknown>>;
  if (typeof executeQuery !== "function" || isTransaction !== true) return false;
  // By name, for another copy of kysely.
  return getExecutor?.call(transaction as never).adapter.constructor.name === MysqlAdapter.name;
}

function noTransaction(): UsageError {
  return new UsageError(
    "invalid-argument",
    "mysql: tx must be a connection of mysql2 with an open transaction, or an open transaction of kysely over MySQL. " +
      "A pool has no transaction: take a connection of it. A deadlock ends the one that it was in.",
    { details: { field: "tx" } },
  );
}
