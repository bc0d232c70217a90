import { inTransaction } from "@perdure/storage-mysql";
import { createPool as createCallbackPool } from "mysql2";
import { createPool, type Pool, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import { findMysql } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import places from "./users-place.ts";

const server = await findMysql();

async function table() {
  const name = await places.make();
  const url = new URL(server.url);
  url.pathname = name;
  const others = createPool(url.href);
  const pool = createPool({ uri: url.href, connectionLimit: 1 });
  onTestFinished(async () => {
    await pool.end();
    await others.end();
    await places.drop(name);
  });
  const select = async (from: Pool, sql: string): Promise<readonly unknown[]> =>
    (await from.query<RowDataPacket[]>(`${sql} as answer`))[0].map(({ answer }) => answer as unknown);
  return {
    pool,
    others,
    url: url.href,
    rows: async () =>
      (await others.query<RowDataPacket[]>("select item from stock"))[0].map(({ item }) => item as unknown),
    connection: async () => (await select(pool, "select connection_id()"))[0] as number,
    transact: inTransaction(pool),
  };
}

const insert = (tx: PoolConnection, item: string): Promise<unknown> =>
  tx.query("insert into stock values (?, 1)", [item]);

describe("inTransaction", () => {
  test("commits what a function did, and answers what it answered", async () => {
    const { rows, transact, connection } = await table();
    const before = await connection();
    const answer = await transact(async (tx) => {
      await insert(tx, "pen");
      expect(await rows()).toEqual([]);
      return 7;
    });
    expect(answer).toBe(7);
    expect(await rows()).toEqual(["pen"]);
    expect(await connection()).toBe(before);
  });

  test("takes a pool with callbacks, and no other object", async () => {
    const { url, rows } = await table();
    const pool = createCallbackPool(url);
    await inTransaction(pool)((tx) => insert(tx, "pen"));
    expect(await rows()).toEqual(["pen"]);
    pool.end();
    for (const other of [{}, null, "mysql://root@127.0.0.1/test"]) {
      expect(() => inTransaction(other as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    }
  });

  test("rolls back what a function did that throws, and throws that", async () => {
    const { rows, transact, connection } = await table();
    const before = await connection();
    const problem = new Error("no pen");
    const failing = transact(async (tx) => {
      await insert(tx, "pen");
      throw problem;
    });
    await expect(failing).rejects.toBe(problem);
    expect(await rows()).toEqual([]);
    expect(await connection()).toBe(before);
  });

  test("closes a connection that is lost while the function works, and the process stays", async () => {
    const { others, rows, transact, connection } = await table();
    const before = await connection();
    const interrupted = transact(async (tx) => {
      await insert(tx, "pen");
      const ended = new Promise((resolve) => tx.connection.once("error", resolve));
      await others.query(`kill ${before}`);
      await ended;
      return "too late";
    });
    await expect(interrupted).rejects.toThrow(/closed state|lost/iu);
    expect(await rows()).toEqual([]);
    expect(await connection()).not.toBe(before);
  });
});
