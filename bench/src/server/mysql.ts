import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { readProcess } from "./processes.ts";
import type { Server } from "./server.ts";

const VARIABLE = "PERDURE_MYSQL_URL";

const SETTINGS = [
  "innodb_flush_log_at_trx_commit",
  "log_bin",
  "sync_binlog",
  "innodb_doublewrite",
  "innodb_flush_method",
  "innodb_buffer_pool_size",
  "innodb_log_file_size",
] as const;

/** Finds or starts a server for this process, and for those that it starts: secrets do not stand on their command lines. */
export async function useMysql(): Promise<void> {
  // Not loaded where the server is known already.
  const { findMysql } = await import("perdure-servers");
  process.env[VARIABLE] = (await findMysql()).url;
}

/** A database in the server that {@link useMysql} found. */
export function mysqlUrl(database: string): string {
  const url = new URL(process.env[VARIABLE]!);
  url.pathname = database;
  return url.href;
}

/** Runs a statement on a connection of its own. */
export async function mysqlQuery(sql: string): Promise<void> {
  await connected((connection) => connection.query(sql));
}

export function describeMysql(): Promise<Server> {
  return connected(async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>("show variables");
    const values = new Map(rows.map(({ Variable_name: name, Value: value }) => [String(name), String(value)]));
    const version = values.get("version") ?? "";
    const known = SETTINGS.filter((name) => values.has(name));
    return {
      product: `${version.includes("MariaDB") ? "MariaDB" : "MySQL"} ${/^[\d.]+/u.exec(version)?.[0]}`,
      settings: Object.fromEntries(known.map((name) => [name, values.get(name)!])),
      pid: processOf(resolve(values.get("datadir") ?? "", values.get("pid_file") ?? "")),
    };
  });
}

/** A server elsewhere has written its number into a file that is not here, or is another one's. */
function processOf(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return ["mariadbd", "mysqld"].includes(readProcess(pid)?.name ?? "") ? pid : null;
  } catch {
    return null;
  }
}

async function connected<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await mysql.createConnection(process.env[VARIABLE]!);
  try {
    return await use(connection);
  } finally {
    await connection.end();
  }
}
