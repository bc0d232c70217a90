import { randomBytes } from "node:crypto";
import { createConnection, escapeId, type RowDataPacket } from "mysql2/promise";
import { findMysql } from "perdure-servers";
import { afterAll } from "vitest";

const server = await findMysql();

const databases: string[] = [];
const users: string[] = [];

/** The administrator's connection. */
const connection = await createConnection({ uri: server.url, multipleStatements: true });

afterAll(async () => {
  for (const name of databases) await query(`drop database if exists ${escapeId(name)}`);
  for (const user of users) await query(`drop user if exists ${user}@'%'`);
  await connection.end();
});

function newName(): string {
  return `perdure_test_${randomBytes(6).toString("hex")}`;
}

/** The URL of a database of this test file, gone after it. */
export async function newDatabase(name = newName()): Promise<string> {
  databases.push(name);
  await query(`create database ${escapeId(name)}`);
  const url = new URL(server.url);
  url.pathname = encodeURIComponent(name);
  return url.href;
}

/** Makes a user of this test file with these rights on a database, `usage` for none; answers the URL for him. */
export async function newUser(databaseUrl: string, rights: string, password = "s3cret"): Promise<string> {
  const user = newName();
  users.push(user);
  await query(`create user ${user}@'%' identified by '${password}'`);
  await query(`grant ${rights} on ${nameOf(databaseUrl)}.* to ${user}@'%'`);
  const url = new URL(databaseUrl);
  url.username = user;
  url.password = password;
  return url.href;
}

/** The name of a URL's database, as SQL. */
export function nameOf(databaseUrl: string): string {
  return escapeId(decodeURIComponent(new URL(databaseUrl).pathname.slice(1)));
}

/** Executes statements as the administrator. */
export async function query<R extends object>(text: string, values: unknown[] = []): Promise<readonly R[]> {
  const [rows] = await connection.query<RowDataPacket[]>(text, values);
  return rows as unknown as readonly R[];
}

/** Ends the connections to a database, as an administrator would; answers how many. */
export async function killConnections(databaseUrl: string): Promise<number> {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const found = await query<{ id: number }>("select id from information_schema.processlist where db = ?", [name]);
  for (const { id } of found) await query(`kill connection ${id}`).catch(() => {});
  return found.length;
}
