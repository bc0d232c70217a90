import { inTransaction } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { newSchema, query, url } from "./scratch.ts";

async function table() {
  const schema = newSchema();
  await query(`create schema ${schema}; create table ${schema}.stock (item text primary key)`);
  const pool = new pg.Pool({ connectionString: url, max: 1, options: `-c search_path=${schema}` });
  // As its documentation asks for: about connections that nobody uses.
  const complaints: string[] = [];
  pool.on("error", ({ message }) => complaints.push(message));
  onTestFinished(() => pool.end());
  const rows = async (): Promise<readonly unknown[]> =>
    (await query<{ item: string }>(`select item from ${schema}.stock`)).map(({ item }) => item);
  const backend = async (): Promise<number> =>
    (await pool.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!.pid;
  return { pool, rows, backend, complaints, transact: inTransaction(pool) };
}

const insert = (tx: pg.PoolClient, item: string): Promise<unknown> => tx.query("insert into stock values ($1)", [item]);

describe("inTransaction", () => {
  test("commits what a function did, and answers what it answered", async () => {
    const { pool, rows, transact, backend } = await table();
    const before = await backend();
    const answer = await transact(async (tx) => {
      await insert(tx, "pen");
      expect(await rows()).toEqual([]);
      return 7;
    });
    expect(answer).toBe(7);
    expect(await rows()).toEqual(["pen"]);
    expect(await backend()).toBe(before);
    expect(pool.totalCount).toBe(1);
  });

  test("rolls back what a function did that throws, and throws that", async () => {
    const { rows, transact, backend } = await table();
    const before = await backend();
    const problem = new Error("no pen");
    const failing = transact(async (tx) => {
      await insert(tx, "pen");
      throw problem;
    });
    await expect(failing).rejects.toBe(problem);
    expect(await rows()).toEqual([]);
    expect(await backend()).toBe(before);
  });

  test("throws when nothing was committed because the function hid an error", async () => {
    const { rows, transact } = await table();
    const hiding = transact(async (tx) => {
      await insert(tx, "pen");
      await insert(tx, "pen").catch(() => {});
      return "all is well";
    });
    await expect(hiding).rejects.toMatchObject({ code: "unavailable", retryable: true });
    expect(await rows()).toEqual([]);
    expect(await transact(async (tx) => insert(tx, "pen").then(() => "again"))).toBe("again");
  });

  test("throws what the commit throws, and its connection is as new", async () => {
    const { pool, rows, transact } = await table();
    await pool.query("create table ids (id int unique deferrable initially deferred)");
    const late = transact((tx) => tx.query("insert into ids values (1), (1)"));
    await expect(late).rejects.toMatchObject({ code: "23505" });
    await transact((tx) => insert(tx, "pen"));
    expect(await rows()).toEqual(["pen"]);
  });

  test("closes a connection that is lost while the function works, and the process stays", async () => {
    const { pool, rows, transact, backend, complaints } = await table();
    const before = await backend();
    const interrupted = transact(async (tx) => {
      await insert(tx, "pen");
      const ended = new Promise((resolve) => tx.once("end", resolve));
      await query("select pg_terminate_backend($1)", [before]);
      await ended;
      return "too late";
    });
    await expect(interrupted).rejects.toThrow(/not queryable|terminat/iu);
    expect(await rows()).toEqual([]);
    expect(await backend()).not.toBe(before);
    expect(pool.totalCount).toBe(1);
    expect(complaints).toEqual([]);
  });

  test("leaves no listener behind", async () => {
    const { pool, transact } = await table();
    for (let round = 0; round < 3; round++) await transact((tx) => insert(tx, `pen ${round}`));
    const client = await pool.connect();
    expect(client.listenerCount("error")).toBe(0);
    client.release();
  });
});
