import { TcpProxy } from "@perdure/conformance";
import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { Listener } from "../src/listener.ts";
import { settingsOf } from "../src/options.ts";
import { PostgresPool } from "../src/pool.ts";
import { newSchema, query, url } from "./scratch.ts";

/** Long enough for what a busy machine does in between. */
const REQUEST_TIMEOUT = 500;

/** A schema with a store: to make one may take longer than a call. */
async function preparedSchema(): Promise<string> {
  const schema = newSchema();
  const storage = postgres({ url, schema });
  await storage.setup();
  await storage.close();
  return schema;
}

/** The server, by way of a network that may die; and its URL there. */
async function network(): Promise<{ readonly proxy: TcpProxy; readonly through: string }> {
  const { hostname: host, port } = new URL(url);
  const proxy = await TcpProxy.start({ host, port: Number(port) });
  onTestFinished(() => proxy.close());
  const through = new URL(url);
  through.host = `${proxy.host}:${proxy.port}`;
  return { proxy, through: through.href };
}

async function took(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

describe("a server that does not answer any more, and does not say so", () => {
  test("ends a call after the requestTimeout; the connection is not used again (I29)", async () => {
    const { proxy, through } = await network();
    const schema = await preparedSchema();
    const storage = postgres({ url: through, schema, requestTimeout: REQUEST_TIMEOUT, pool: { max: 1 } });
    onTestFinished(() => storage.close());
    await storage.setup();
    proxy.blackhole(true);
    const startedAt = performance.now();
    const refused = storage.createRuns([newRun("run")]);
    await expect(refused).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await expect(refused).rejects.toThrow("requestTimeout");
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    proxy.blackhole(false);
    expect(await storage.createRuns([newRun("again")])).toMatchObject([{ status: "created" }]);
  });

  test("ends a call on a connection of the caller's pool, too", async () => {
    const { proxy, through } = await network();
    const pool = new pg.Pool({ connectionString: through, max: 1 });
    const storage = postgres({ pool, schema: await preparedSchema(), requestTimeout: REQUEST_TIMEOUT });
    await storage.setup();
    proxy.blackhole(true);
    await expect(storage.stats()).rejects.toThrow("requestTimeout");
    expect(pool.totalCount).toBe(0);
    proxy.blackhole(false);
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await storage.close();
    expect(pool.ended).toBe(false);
    await pool.end();
  });

  test("keeps nobody who closes waiting for longer than the requestTimeout", async () => {
    const { proxy, through } = await network();
    const storage = postgres({ url: through, schema: newSchema(), requestTimeout: 1_000 });
    await storage.setup();
    proxy.blackhole(true);
    const call = storage.stats().catch((error: unknown) => error);
    expect(await took(storage.close())).toBeLessThan(3_000);
    expect(await call).toMatchObject({ code: "unavailable" });
  });

  test("does not keep rows locked that a call has locked before (I8)", async () => {
    const { proxy, through } = await network();
    const schema = newSchema();
    const other = postgres({ url, schema });
    onTestFinished(() => other.close());
    await other.createRuns([newRun("run")]);
    // Ten seconds in a session of ours; for a test it is shorter.
    const config = { idle_in_transaction_session_timeout: 300 };
    const pool = new PostgresPool(settingsOf({ url: through, schema, pool: config, requestTimeout: 5_000 }));
    await pool.open();
    await pool.with(async (connection) => {
      const lock = `select * from ${schema}.perdure_tasks for update`;
      await connection.send(["begin", lock].map((sql) => ({ sql, values: [] })));
      proxy.blackhole(true);
      const message = { runId: "run", dedupeId: "1", external: true, data: "1" };
      expect(await other.deliver([message])).toEqual([{ status: "accepted" }]);
      proxy.blackhole(false);
      await expect(connection.send([{ sql: "commit", values: [] }])).rejects.toThrow("idle-in-transaction");
    });
    await pool.close();
  });
});

describe("a listening connection that is dead", () => {
  test("is noticed by looking, and made again", async () => {
    const { proxy, through } = await network();
    const heard: string[] = [];
    const missed = vi.fn<() => void>();
    const ears = { hear: (payload: string) => void heard.push(payload), missed };
    const listener = new Listener({ connectionString: through }, "perdure_dead", ears, { everyMs: 30, patienceMs: 60 });
    onTestFinished(() => listener.stop());
    await listener.start();
    await query("select pg_notify('perdure_dead', 'one')");
    await expect.poll(() => heard, { interval: 5 }).toEqual(["one"]);
    proxy.blackhole(true);
    await expect.poll(() => listener.isConnected, { interval: 5 }).toBe(false);
    expect(missed).not.toHaveBeenCalled();
    proxy.blackhole(false);
    await expect.poll(() => missed.mock.calls.length, { interval: 5 }).toBe(1);
    await query("select pg_notify('perdure_dead', 'two')");
    await expect.poll(() => heard.at(-1), { interval: 5 }).toBe("two");
  });

  test("keeps nobody waiting who stops, whether it is connected or connecting", async () => {
    const { proxy, through } = await network();
    const ears = { hear() {}, missed() {} };
    const connected = new Listener({ connectionString: through }, "perdure_dead", ears);
    await connected.start();
    proxy.blackhole(true);
    const connecting = new Listener({ connectionString: through }, "perdure_dead", ears);
    const starting = connecting.start();
    expect(await took(Promise.all([connected.stop(), connecting.stop(), starting]))).toBeLessThan(3_000);
  });
});
