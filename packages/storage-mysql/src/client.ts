import type { Socket } from "node:net";
import type { Connection as MysqlClient, Pool as MysqlPool } from "mysql2";
import type { Pool as PromisePool } from "mysql2/promise";

/** A pool of mysql2, with callbacks or with promises; also one of another copy of it. */
export type CallersPool = MysqlPool | PromisePool;

/** The pool with callbacks; undefined for what is no pool. */
export function poolOf(value: unknown): MysqlPool | undefined {
  const { pool = value } = (value ?? {}) as { readonly pool?: unknown };
  return has(pool, "getConnection") && has(pool, "query") ? (pool as MysqlPool) : undefined;
}

/** The connection with callbacks; undefined for what is no connection. A pool has queries, but no transaction. */
export function clientOf(value: unknown): MysqlClient | undefined {
  const { connection = value } = (value ?? {}) as { readonly connection?: unknown };
  const isClient = has(connection, "query") && has(connection, "beginTransaction") && !has(connection, "getConnection");
  return isClient ? (connection as MysqlClient) : undefined;
}

/** Whether several statements may go out as one text. */
export function sendsTogether(client: MysqlClient): boolean {
  const { clientFlags = 0 } = client.config as { readonly clientFlags?: number };
  return (clientFlags & CLIENT_MULTI_STATEMENTS) !== 0;
}

/** Whether the connection keeps this process alive. */
export function keepAlive(client: MysqlClient, isBusy: boolean): void {
  const { stream } = client as MysqlClient & { readonly stream: Partial<Socket> };
  // It may be a stream of the caller's own kind.
  if (isBusy) stream.ref?.();
  else stream.unref?.();
}

const CLIENT_MULTI_STATEMENTS = 0x1_00_00;

function has(value: unknown, method: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | undefined)?.[method] === "function";
}
