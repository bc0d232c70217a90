import mysql from "mysql2/promise";
import pg from "pg";
import { withRedis } from "../src/redis-client.ts";

/** Runs statements on a connection of its own, one after the other; the rows of the last one, or what a Redis has answered to it. */
export async function query(url: string, ...statements: readonly string[]): Promise<unknown> {
  if (url.startsWith("redis:")) return await queryRedis(url, statements);
  return url.startsWith("mysql:") ? await queryMysql(url, statements) : await queryPostgres(url, statements);
}

function queryRedis(url: string, statements: readonly string[]): Promise<unknown> {
  return withRedis(url, async (client) => {
    let answer: unknown;
    for (const statement of statements) {
      const [command, ...args] = statement.split(" ") as [string, ...string[]];
      answer = await client.call(command, ...args);
    }
    return answer;
  });
}

async function queryPostgres(url: string, statements: readonly string[]): Promise<readonly object[]> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  try {
    await client.connect();
    let rows: readonly object[] = [];
    for (const statement of statements) ({ rows } = await client.query<object>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

async function queryMysql(url: string, statements: readonly string[]): Promise<readonly object[]> {
  const connection = await mysql.createConnection(url);
  try {
    let rows: unknown;
    for (const statement of statements) [rows] = await connection.query(statement);
    return rows as readonly object[];
  } finally {
    connection.destroy();
  }
}
