import { inTransaction } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeInTransaction, type Stock } from "../../storage-sql/test/in-transaction.ts";
import { newSchema, query, url } from "./scratch.ts";

const insert = (tx: pg.PoolClient, item: string): Promise<unknown> => tx.query("insert into stock values ($1)", [item]);

async function newStock(): Promise<Stock<pg.PoolClient> & { readonly pool: pg.Pool }> {
  const schema = newSchema();
  await query(`create schema ${schema}; create table ${schema}.stock (item text primary key)`);
  const pool = new pg.Pool({ connectionString: url, max: 1, options: `-c search_path=${schema}` });
  // As its documentation asks for: about connections that nobody uses.
  const complaints: string[] = [];
  pool.on("error", ({ message }) => complaints.push(message));
  onTestFinished(async () => {
    await pool.end();
    expect(complaints).toEqual([]);
  });
  const pid = async (client: Pick<pg.Pool, "query">): Promise<number> =>
    (await client.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!.pid;
  return {
    pool,
    transact: inTransaction(pool),
    insert,
    items: async () => (await query<{ item: string }>(`select item from ${schema}.stock`)).map(({ item }) => item),
    connection: () => pid(pool),
    async end(tx) {
      const ended = new Promise((resolve) => tx.once("end", resolve));
      await query("select pg_terminate_backend($1)", [await pid(tx)]);
      await ended;
    },
  };
}

describeInTransaction(newStock);

describe("inTransaction on PostgreSQL", () => {
  test("throws when nothing was committed because the function hid an error", async () => {
    const { items, transact } = await newStock();
    const hiding = transact(async (tx) => {
      await insert(tx, "pen");
      await insert(tx, "pen").catch(() => {});
      return "all is well";
    });
    await expect(hiding).rejects.toMatchObject({ code: "unavailable", retryable: true });
    expect(await items()).toEqual([]);
    expect(await transact(async (tx) => insert(tx, "pen").then(() => "again"))).toBe("again");
  });

  test("throws what the commit throws, and its connection is as new", async () => {
    const { pool, items, transact } = await newStock();
    await pool.query("create table ids (id int unique deferrable initially deferred)");
    const late = transact((tx) => tx.query("insert into ids values (1), (1)"));
    await expect(late).rejects.toMatchObject({ code: "23505" });
    await transact((tx) => insert(tx, "pen"));
    expect(await items()).toEqual(["pen"]);
  });

  test("leaves no listener behind", async () => {
    const { pool, transact } = await newStock();
    for (let round = 0; round < 3; round++) await transact((tx) => insert(tx, `pen ${round}`));
    const client = await pool.connect();
    expect(client.listenerCount("error")).toBe(0);
    client.release();
  });
});
