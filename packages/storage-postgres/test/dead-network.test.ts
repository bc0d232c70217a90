import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { closedAfterTest } from "../../storage-sql/test/closed-after-test.ts";
import { describeDeadNetwork, type Network, networkTo } from "../../storage-sql/test/dead-network.ts";
import { newRun } from "../../storage-sql/test/requests.ts";
import { Listener } from "../src/listener.ts";
import { settingsOf } from "../src/options.ts";
import { PostgresPool } from "../src/pool.ts";
import { newSchema, query, url } from "./scratch.ts";

const network = (): Promise<Network> => networkTo(url, 5432);

describeDeadNetwork(async () => {
  const schema = newSchema();
  await closedAfterTest(postgres({ url, schema })).setup();
  const { proxy, through } = await network();
  return {
    proxy,
    open(requestTimeout) {
      const pool = { max: 1, connectionTimeoutMillis: requestTimeout };
      return postgres({ url: through, schema, requestTimeout, pool });
    },
    openInPool(requestTimeout) {
      const pool = new pg.Pool({ connectionString: through, max: 1 });
      const closed = vi.fn<() => void>();
      pool.on("remove", closed);
      onTestFinished(async () => {
        expect(closed).toHaveBeenCalledOnce();
        await pool.end();
      });
      return postgres({ pool, schema, requestTimeout });
    },
  };
});

test("a dead network does not keep rows locked that a call has locked before (I8)", async () => {
  const { proxy, through } = await network();
  const schema = newSchema();
  const other = closedAfterTest(postgres({ url, schema }));
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

async function took(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

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
