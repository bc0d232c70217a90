import type { StorageBackend, Topic } from "@perdure/core/storage";
import { postgres, type PostgresOptions } from "@perdure/storage-postgres";
import { startPgBouncer, type TestServer } from "perdure-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { anything, done, hold, newRun } from "../../storage-sql/test/requests.ts";
import { settingsOf } from "../src/options.ts";
import { PostgresPool } from "../src/pool.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { letCreate, newSchema, newUser, query, url } from "./scratch.ts";

let bouncers: Record<"transaction" | "session", TestServer>;

beforeAll(async () => {
  const start = (poolMode: "transaction" | "session"): Promise<TestServer> => startPgBouncer({ target: url, poolMode });
  const [transaction, session] = await Promise.all([start("transaction"), start("session")]);
  bouncers = { transaction, session };
}, 60_000);

afterAll(async () => {
  await Promise.all(Object.values(bouncers).map((bouncer) => bouncer.stop()));
});

async function isPooled(options: PostgresOptions): Promise<boolean> {
  const pool = new PostgresPool(settingsOf(options));
  await pool.open();
  const { isPooled: answer } = pool;
  await pool.close();
  return answer;
}

function open(options: PostgresOptions): StorageBackend {
  const storage = postgres(options);
  onTestFinished(() => storage.close());
  return storage;
}

describe("a pooler", () => {
  test("that lends connections out for transactions is told from one that does so for sessions, and from none", async () => {
    expect(await isPooled({ url })).toBe(false);
    expect(await isPooled({ url: bouncers.session.url })).toBe(false);
    expect(await isPooled({ url: bouncers.transaction.url })).toBe(true);
  });

  test("is found by many who look at the same time, and whose notifications go to whoever is there", async () => {
    const found = await Promise.all(Array.from({ length: 20 }, () => isPooled({ url: bouncers.transaction.url })));
    expect(found.filter((isFound) => !isFound)).toEqual([]);
  });

  test("is what the option says, without a look", async () => {
    expect(await isPooled({ url, pooler: "transaction" })).toBe(true);
    expect(await isPooled({ url: bouncers.session.url, pooler: "none" })).toBe(false);
  });

  test("is found in a pool of the caller's, too", async () => {
    const pool = new pg.Pool({ connectionString: bouncers.transaction.url, max: 1 });
    onTestFinished(() => pool.end());
    expect(await isPooled({ pool })).toBe(true);
  });
});

test("a session that is lent for a transaction is given back as it was", async () => {
  // One connection of the server: whoever leaves something in its session leaves it to everybody.
  const bouncer = await startPgBouncer({ target: url, poolMode: "transaction", settings: { default_pool_size: 1 } });
  onTestFinished(() => bouncer.stop());
  const client = new pg.Client(bouncer.url);
  await client.connect();
  onTestFinished(() => client.end());
  const state = async (): Promise<unknown> => {
    const { rows } = await client.query(
      `select (select json_agg(s) from (select name, setting from pg_settings
             where name <> 'application_name' order by 1) s) as settings,
         (select count(*) from pg_prepared_statements) as prepared, array(select pg_listening_channels()) as channels`,
    );
    return rows[0];
  };
  const before = await state();
  const storage = open({ url: bouncer.url, schema: newSchema() });
  await storage.createRuns([newRun("a"), newRun("b")]);
  const subscription = await storage.subscribe!(() => {});
  for (let n = 0; n < 3; n++) {
    const { tasks } = await storage.claimTasks(anything({ workerInstance: `worker-${n}`, limit: 1 }));
    for (const { claim } of tasks) await storage.commitTasks([hold(claim, 1)]);
  }
  await subscription.close();
  expect(await state()).toEqual(before);
});

test.each(["transaction", "session"] as const)("every verb works through one that lends for a %s", async (mode) => {
  const storage = open({ url: bouncers[mode].url, schema: newSchema(), pool: { max: 3 } });
  const runs = Array.from({ length: 30 }, (_, n) => newRun(`run-${n}`));
  await Promise.all(runs.map((run) => storage.createRuns([run])));
  const { tasks } = await storage.claimTasks(anything());
  expect(tasks).toHaveLength(30);
  const ended = await Promise.all(tasks.map(({ claim }) => storage.commitTasks([hold(claim, 1), done(claim, 2)])));
  expect(ended.flat().filter(({ status }) => status !== "ok")).toHaveLength(30);
  expect(await storage.stats()).toMatchObject({ runs: { open: 30 } });
  expect((await storage.listRuns({ limit: 50 })).items).toHaveLength(30);
});

describe("hints between processes of which some cannot listen arrive long before the next poll (I11)", () => {
  const ways = { direct: () => url, pooled: () => bouncers.transaction.url };
  const main: Topic = { of: "queue", queue: "main" };

  for (const [from, to] of [
    ["pooled", "pooled"],
    ["pooled", "direct"],
    ["direct", "pooled"],
  ] as const) {
    test(`from a ${from} one to a ${to} one`, async () => {
      const schema = newSchema();
      const [one, other] = [open({ url: ways[from](), schema }), open({ url: ways[to](), schema })];
      const heard: Topic[] = [];
      const subscription = await other.subscribe!((topic) => heard.push(topic));
      subscription.add(main);
      for (const isListening of [false, true]) {
        const own = isListening ? await one.subscribe!(() => {}) : undefined;
        await one.createRuns([newRun(`alone-${isListening}`)]);
        await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
        // In a transaction of the caller's, nobody hears before it is committed.
        const client = new pg.Client(ways[from]());
        await client.connect();
        await client.query("begin");
        await one.createRuns([newRun(`joined-${isListening}`)], { tx: client });
        expect(heard).toEqual([]);
        await client.query("commit");
        await client.end();
        await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
        await own?.close();
      }
    });
  }

  test("and where nobody polls, nothing is left in the table that is polled", async () => {
    const schema = newSchema();
    const storage = open({ url, schema });
    for (let n = 0; n < 5; n++) await storage.createRuns([newRun(`run-${n}`)]);
    const pooled = open({ url: bouncers.transaction.url, schema });
    await pooled.createRuns([newRun("run")]);
    await pooled.close();
    expect(await query(`select * from ${schema}.perdure_pulse`)).toEqual([]);
  });
});

test("a user whose commits are not durable is refused: nothing that would change that stays in a session", async () => {
  const own = await newUser({ synchronous_commit: "off" });
  await letCreate(own);
  const bouncer = await startPgBouncer({ target: own, poolMode: "transaction" });
  onTestFinished(() => bouncer.stop());
  for (const pooler of ["auto", "transaction"] as const) {
    const refused = await failureOf(postgres({ url: bouncer.url, schema: newSchema(), pooler }));
    expect(refused).toMatchObject({ code: "misconfigured" });
    expect(refused.message).toContain("synchronous_commit is off");
  }
});

test("a pooler that is killed and comes back loses nobody", { timeout: 30_000 }, async () => {
  const bouncer = await startPgBouncer({ target: url, poolMode: "transaction" });
  onTestFinished(() => bouncer.stop());
  const schema = newSchema();
  const storage = open({ url: bouncer.url, schema });
  const heard: Topic[] = [];
  const subscription = await storage.subscribe!((topic) => heard.push(topic));
  subscription.add({ of: "queue", queue: "main" });
  await bouncer.kill();
  await expect(storage.createRuns([newRun("lost")])).rejects.toMatchObject({ code: "unavailable" });
  await bouncer.restart();
  expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
  heard.length = 0;
  await open({ url, schema }).createRuns([newRun("other")]);
  await expect.poll(() => heard.length, { interval: 5 }).toBe(1);
});
