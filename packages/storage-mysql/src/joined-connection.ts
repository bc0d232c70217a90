import { UsageError } from "@perdure/core/storage";
import {
  checkOpen,
  type Connection,
  isKyselyTransaction,
  joinKysely,
  type Own,
  type ServerStatement,
  type StatementResult,
  undisturbed,
} from "@perdure/storage-sql";
import { MysqlAdapter, type Transaction } from "kysely";
import type { Connection as MysqlClient, ResultSetHeader } from "mysql2";
import { clientOf } from "./client.ts";
import { type Bounds, MysqlConnection } from "./connection.ts";
import { checkSession } from "./session.ts";

type Use<T> = (connection: Connection) => Promise<T>;

/**
 * Has the connection of a transaction used that the caller has begun, and will end: one of mysql2, or a transaction of kysely. What
 * the caller asks it for meanwhile waits.
 */
export async function join<T>(transaction: unknown, bounds: Bounds, use: Use<T>): Promise<T> {
  if (isKyselyTransaction(transaction) && isOverMysql(transaction)) {
    return joinKysely(transaction, async (connection) => {
      await checkOpen(connection, hasNoSavepoint, noTransaction);
      await checkSession(connection);
      return use(new JoinedConnection(connection));
    });
  }
  const client = clientOf(transaction);
  if (client === undefined) throw noTransaction();
  const inTransaction = async (own: Own): Promise<T> => {
    const connection = new MysqlConnection(client, { ...bounds, own });
    await checkTransaction(client, connection, own);
    return use(new JoinedConnection(connection));
  };
  return undisturbed(client, "addCommand", inTransaction, () => true);
}

/**
 * A connection in the caller's transaction. With MySQL's default isolation it reads a moment in the past, and may miss what our
 * inserts find in their way: what is missing is looked for once more, as it is now. That takes locks, also of gaps between rows, so
 * it is not done for what is there.
 */
class JoinedConnection implements Connection {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    const results = [...(await this.#connection.send(statements))];
    for (const [at, statement] of statements.entries()) {
      if (results[at]!.rows.length > 0 || !isPlainRead(statement)) continue;
      const [now] = await this.#connection.send([{ ...statement, sql: `${statement.sql} lock in share mode` }]);
      results[at] = now!;
    }
    return results;
  }
}

function isPlainRead({ sql }: ServerStatement): boolean {
  return sql.startsWith("select ") && !sql.includes(" for update");
}

function hasNoSavepoint(error: unknown): boolean {
  return (error as { errno?: unknown }).errno === NO_SAVEPOINT;
}

const NO_SAVEPOINT = 1305;

/** Connections whose sessions are known to be safe. */
const checked = new WeakSet<MysqlClient>();

async function checkTransaction(client: MysqlClient, connection: Connection, own: Own): Promise<void> {
  if (!(await isInTransaction(client, own))) throw noTransaction();
  if (checked.has(client)) return;
  await checkSession(connection);
  checked.add(client);
}

/** Whether a statement would not be committed at once. Every answer of the server says so. */
async function isInTransaction(client: MysqlClient, own: Own): Promise<boolean> {
  const { serverStatus } = await new Promise<ResultSetHeader>((resolve, reject) => {
    own(() =>
      client.query<ResultSetHeader>("do 0", (error, header) => (error === null ? resolve(header) : reject(error))),
    );
  });
  return (serverStatus & IN_TRANSACTION) !== 0 || (serverStatus & AUTOCOMMIT) === 0;
}

const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/** By name, for another copy of kysely. */
function isOverMysql(transaction: Transaction<unknown>): boolean {
  return transaction.getExecutor().adapter.constructor.name === MysqlAdapter.name;
}

function noTransaction(): UsageError {
  return new UsageError(
    "invalid-argument",
    "mysql: tx must be a connection of mysql2 with an open transaction, or an open transaction of kysely over MySQL. " +
      "A pool has no transaction: take a connection of it. A deadlock ends the one that it was in.",
    { details: { field: "tx" } },
  );
}
