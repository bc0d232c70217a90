import { inTransaction } from "@perdure/storage-mysql";
import { createPool as createCallbackPool } from "mysql2";
import { createPool, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import { findMysql } from "perdure-servers";
import { expect, onTestFinished, test } from "vitest";
import { describeInTransaction, type Stock } from "../../storage-sql/test/in-transaction.ts";
import places from "./users-place.ts";

const server = await findMysql();

const insert = (tx: PoolConnection, item: string): Promise<unknown> =>
  tx.query("insert into stock values (?, 1)", [item]);

async function newStock(): Promise<Stock<PoolConnection> & { readonly url: string }> {
  const name = await places.make();
  const { href: url } = Object.assign(new URL(server.url), { pathname: name });
  const others = createPool(url);
  const pool = createPool({ uri: url, connectionLimit: 1 });
  onTestFinished(async () => {
    await pool.end();
    await others.end();
    await places.drop(name);
  });
  return {
    url,
    transact: inTransaction(pool),
    insert,
    items: async () =>
      (await others.query<RowDataPacket[]>("select item from stock"))[0].map(({ item }) => item as unknown),
    connection: async () => (await pool.query<RowDataPacket[]>("select connection_id() as id"))[0][0]!["id"] as number,
    async end(tx) {
      const ended = new Promise((resolve) => tx.connection.once("error", resolve));
      await others.query(`kill ${tx.threadId}`);
      await ended;
    },
  };
}

describeInTransaction(newStock);

test("inTransaction takes a pool with callbacks, and no other object", async () => {
  const { url, items } = await newStock();
  const pool = createCallbackPool(url);
  await inTransaction(pool)((tx) => insert(tx, "pen"));
  expect(await items()).toEqual(["pen"]);
  pool.end();
  for (const other of [{}, null, "mysql://root@127.0.0.1/test"]) {
    expect(() => inTransaction(other as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  }
});
