import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { newSchema, url } from "./scratch.ts";

test("several stores of one pool, which stays the caller's", async () => {
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  onTestFinished(() => pool.end());
  const settings = (): Promise<unknown> =>
    pool.query("select name, setting from pg_settings order by 1").then(({ rows }) => rows);
  const before = await settings();
  const warnings: string[] = [];
  const warn = ({ message }: Error): unknown => warnings.push(message);
  process.on("warning", warn);
  onTestFinished(() => void process.off("warning", warn));

  const stores = [newSchema(), newSchema()].map((schema) => postgres({ pool, schema }));
  const ids = Array.from({ length: 20 }, (_, index) => `run-${index}`);
  await Promise.all(stores.flatMap((store) => ids.map((runId) => store.createRuns([newRun(runId)]))));
  for (const store of stores) {
    expect((await store.stats()).runs.open).toBe(20);
    await store.close();
  }
  expect(pool.ended).toBe(false);
  expect(pool.listenerCount("error")).toBe(0);
  expect(pool.idleCount).toBe(pool.totalCount);
  expect(await Promise.all([settings(), settings(), settings()])).toEqual([before, before, before]);
  expect(warnings).toEqual([]);
});

describe("a pool whose only connection is in a transaction", () => {
  test("is enough for what joins the transaction, but for the first run of a workflow on a queue", async () => {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const storage = postgres({ pool, schema: newSchema(), requestTimeout: 200 });
    onTestFinished(() => pool.end());
    await storage.createRuns([newRun("first")]);
    const client = await pool.connect();
    await client.query("begin");
    expect(await storage.createRuns([newRun("joined")], { tx: client })).toMatchObject([{ status: "created" }]);
    const other = storage.createRuns([newRun("other", { queue: "other" })], { tx: client });
    await expect(other).rejects.toMatchObject({ code: "unavailable" });
    await expect(other).rejects.toThrow("All connections of the pool are in use");
    await client.query("commit");
    client.release();
    expect(await storage.getRun("joined")).toMatchObject({ status: "open" });
    expect(pool.idleCount).toBe(pool.totalCount);
    await storage.close();
  });
});
