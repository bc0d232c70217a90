import { TcpProxy } from "@perdure/conformance";
import { mysql } from "@perdure/storage-mysql";
import { createPool } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { MysqlPool } from "../src/pool.ts";
import { settingsOf } from "../src/options.ts";
import { newDatabase } from "./scratch.ts";

interface Network {
  readonly proxy: TcpProxy;
  /** The URL of a database, without the network in between, and through it. */
  readonly url: string;
  readonly through: string;
}

/** A database, by way of a network that may die. */
async function network(): Promise<Network> {
  const url = await newDatabase();
  const { hostname: host, port } = new URL(url);
  const proxy = await TcpProxy.start({ host, port: Number(port || 3306) });
  onTestFinished(() => proxy.close());
  const through = new URL(url);
  through.host = `${proxy.host}:${proxy.port}`;
  return { proxy, url, through: through.href };
}

describe("a server that does not answer any more, and does not say so", () => {
  test("ends a call after the requestTimeout; the connection is not used again (I29)", async () => {
    const { proxy, through } = await network();
    const storage = mysql({ url: through, requestTimeout: 300, maxConnections: 1 });
    onTestFinished(() => storage.close());
    await storage.setup();
    proxy.blackhole(true);
    const startedAt = performance.now();
    const refused = storage.createRuns([newRun("run")]);
    await expect(refused).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await expect(refused).rejects.toThrow("requestTimeout");
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    proxy.blackhole(false);
    expect(await storage.createRuns([newRun("again")])).toMatchObject([{ status: "created" }]);
  });

  test("does not let those wait for ever who wait for a connection", async () => {
    const { proxy, through } = await network();
    const storage = mysql({ url: through, requestTimeout: 300, maxConnections: 1 });
    onTestFinished(() => storage.close());
    await storage.setup();
    proxy.blackhole(true);
    const calls = Array.from({ length: 5 }, (_, at) => storage.createRuns([newRun(`run-${at}`)]));
    const outcomes = await Promise.allSettled(calls);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    proxy.blackhole(false);
    expect(await storage.createRuns([newRun("again")])).toMatchObject([{ status: "created" }]);
  });

  test("ends a call on a connection of the caller's pool, too", async () => {
    const { proxy, through } = await network();
    const pool = createPool({ uri: through, connectionLimit: 1 });
    const storage = mysql({ pool, requestTimeout: 300 });
    await storage.setup();
    proxy.blackhole(true);
    await expect(storage.stats()).rejects.toThrow("requestTimeout");
    proxy.blackhole(false);
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await storage.close();
    await pool.end();
  });

  test("keeps nobody who closes waiting for longer than the requestTimeout", async () => {
    const { proxy, through } = await network();
    const storage = mysql({ url: through, requestTimeout: 1_000 });
    await storage.setup();
    proxy.blackhole(true);
    const call = storage.stats().catch((error: unknown) => error);
    const startedAt = performance.now();
    await storage.close();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(await call).toMatchObject({ code: "unavailable" });
  });

  test("does not keep rows locked that a call has locked before (I8)", async () => {
    const { proxy, url, through } = await network();
    const other = mysql(url);
    onTestFinished(() => other.close());
    await other.createRuns([newRun("run")]);
    const pool = new MysqlPool(settingsOf(through));
    await pool.open();
    const lost = pool.with(async (connection) => {
      // Twenty seconds in a session of ours; for a test it is shorter.
      const lock = ["set wait_timeout = 1", "start transaction", "select * from perdure_tasks for update"];
      await connection.send(lock.map((sql) => ({ sql, values: [] })));
      proxy.blackhole(true);
      const message = { runId: "run", dedupeId: "1", external: true, data: "1" };
      expect(await other.deliver([message])).toEqual([{ status: "accepted" }]);
      proxy.blackhole(false);
      await connection.send([{ sql: "commit", values: [] }]);
    });
    await expect(lost).rejects.toMatchObject({ fatal: true });
    await pool.close();
  });
});
