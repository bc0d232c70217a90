import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient, createWorker, workflow } from "@perdure/core";
import { postgres } from "@perdure/storage-postgres";
import { startPostgres, type TestServer } from "perdure-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { anything, newRun } from "../../storage-sql/test/requests.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { newSchema, newUser, query, url } from "./scratch.ts";

test("a user who may only read reads, and is told so when he writes", async () => {
  const schema = newSchema();
  const owner = postgres({ url, schema });
  await owner.createRuns([newRun("run")]);
  await owner.close();
  const own = await newUser({ default_transaction_read_only: "on" });
  const { username } = new URL(own);
  await query(
    `grant usage on schema ${schema} to ${username}; grant all on all tables in schema ${schema} to ${username}`,
  );
  const storage = postgres({ url: own, schema });
  onTestFinished(() => storage.close());
  expect(await storage.getRun("run")).toMatchObject({ status: "open" });
  expect((await storage.listRuns({ limit: 10 })).items).toHaveLength(1);
  for (const write of [() => storage.createRuns([newRun("other")]), () => storage.claimTasks(anything())])
    await expect(write()).rejects.toMatchObject({ code: "read-only", retryable: false, details: { code: "25006" } });
  const fresh = await failureOf(postgres({ url: own, schema: newSchema() }));
  expect(fresh).toMatchObject({ code: "read-only" });
});

describe("a server that changes its mind", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  async function execute(...statements: string[]): Promise<void> {
    const admin = new pg.Client(server.url);
    await admin.connect();
    for (const statement of statements) await admin.query(statement);
    await admin.end();
  }

  test("takes no writes for a while, as in a failover: the worker waits for it", { timeout: 30_000 }, async () => {
    const storage = postgres(server.url);
    const hello = workflow({ name: "hello" }, async (ctx) => {
      await ctx.sleep("300ms");
      return "done";
    });
    const client = createClient({ storage });
    const logs: string[] = [];
    const log = (message: string): unknown => logs.push(message);
    const worker = createWorker({
      storage,
      workflows: [hello],
      logger: { debug: log, info: log, warn: log, error: log },
    });
    const working = worker.run();
    const run = await client.start(hello, undefined);
    await execute("alter system set default_transaction_read_only = on", "select pg_reload_conf()");
    await expect
      .poll(() => storage.createRuns([newRun("refused")]).then(String, ({ code }: { code: string }) => code), {
        interval: 10,
        timeout: 5_000,
      })
      .toBe("unavailable");
    await expect.poll(() => logs.length, { timeout: 10_000 }).toBe(1);
    await execute(
      "set default_transaction_read_only = off",
      "alter system reset default_transaction_read_only",
      "select pg_reload_conf()",
    );
    expect(await run.result()).toBe("done");
    await worker.stop();
    await working;
    await client.close();
    await storage.close();
    expect(logs).toEqual([expect.stringContaining("unavailable"), expect.stringMatching(/again|back/u)]);
  });

  test("is a standby: it is read from; promoted, it is written to, and heard", { timeout: 30_000 }, async () => {
    const before = postgres(server.url);
    await before.createRuns([newRun("run")]);
    await before.close();
    writeFileSync(join(server.folder, "data", "standby.signal"), "");
    await server.restart();
    const storage = postgres(server.url);
    onTestFinished(() => storage.close());
    expect(await storage.getRun("run")).toMatchObject({ status: "open" });
    await expect(storage.createRuns([newRun("other")])).rejects.toMatchObject({ code: "read-only" });
    await expect(storage.claimTasks(anything())).rejects.toMatchObject({ code: "read-only" });
    const heard: unknown[] = [];
    const subscription = await storage.subscribe!((topic) => heard.push(topic));
    subscription.add({ of: "queue", queue: "main" });
    await execute("select pg_promote()");
    expect(await storage.createRuns([newRun("promoted")])).toMatchObject([{ status: "created" }]);
    heard.length = 0;
    const other = postgres(server.url);
    onTestFinished(() => other.close());
    await other.createRuns([newRun("heard")]);
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(0);
  });
});
