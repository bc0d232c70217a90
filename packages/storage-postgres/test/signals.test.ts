import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend, Subscription, Topic } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { startPostgres } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";
import { child } from "./processes.ts";
import { letCreate, newSchema, newUser, query, terminate, url } from "./scratch.ts";

/** A storage that is closed after the test. */
function open(options: Parameters<typeof postgres>[0]): StorageBackend {
  const storage = postgres(options);
  onTestFinished(() => storage.close());
  return storage;
}

interface Ear {
  readonly heard: Topic[];
  readonly subscription: Subscription;
}

/** Listens for runs on queue `main`. */
async function listen(storage: StorageBackend): Promise<Ear> {
  const heard: Topic[] = [];
  const subscription = await storage.subscribe!((topic) => heard.push(topic));
  subscription.add({ of: "queue", queue: "main" });
  return { heard, subscription };
}

const main: Topic = { of: "queue", queue: "main" };

/** How many connections listen to a schema's channel, of an application. */
async function listeners(application: string): Promise<number> {
  const rows = await query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where application_name = $1 and query like '%listen%'",
    [application],
  );
  return rows[0]!.count;
}

describe("hints between processes", () => {
  test("wake who waits for that topic, and nobody else", async () => {
    const schema = newSchema();
    const [one, other] = [open({ url, schema }), open({ url, schema })];
    const { heard, subscription } = await listen(one);
    subscription.add({ of: "closed", runId: "else" });
    await other.createRuns([newRun("aside", { queue: "aside" })]);
    await other.createRuns([newRun("run")]);
    await expect.poll(() => heard, { interval: 5 }).toEqual([main]);
    // Claiming, holding and renewing wake nobody: so workers do not keep one another awake.
    const { tasks } = await other.claimTasks(anything());
    const claims = tasks.map(({ claim }) => claim);
    await other.renewLeases(claims, 1000);
    await other.commitTasks(claims.map((claim) => done(claim, 1)));
    await sleep(50);
    expect(heard).toHaveLength(1);
  });

  test("are heard once by the process that sends them", async () => {
    const storage = open({ url, schema: newSchema() });
    const { heard } = await listen(storage);
    await storage.createRuns([newRun("run")]);
    await sleep(50);
    expect(heard).toEqual([main]);
  });

  test("of more topics than fit are about any", async () => {
    const schema = newSchema();
    const [one, other] = [open({ url, schema }), open({ url, schema })];
    const { heard } = await listen(one);
    await other.createRuns(Array.from({ length: 2000 }, (_, n) => newRun(`r${n}`, { queue: `q${n}` })));
    await expect.poll(() => heard, { interval: 5 }).toEqual([main]);
  });

  test("are not lost by a process that closes at once after it has written", async () => {
    const schema = newSchema();
    const { heard } = await listen(open({ url, schema }));
    for (let n = 0; n < 5; n++) {
      const brief = postgres({ url, schema });
      await brief.createRuns([newRun(`run-${n}`)]);
      await brief.close();
      await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
    }
  });
});

describe("the connection that listens", () => {
  test("is made again when an administrator ends it; who missed something looks at once (I11)", async () => {
    const schema = newSchema();
    const other = open({ url, schema });
    const { heard } = await listen(open({ url, schema, pool: { application_name: schema } }));
    for (let n = 0; n < 3; n++) {
      expect(await terminate(schema)).toBeGreaterThan(0);
      await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
      await other.createRuns([newRun(`run-${n}`)]);
      await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
    }
  });

  test("that cannot be had is tried again, and keeps nobody from working", async () => {
    const own = await newUser();
    await letCreate(own);
    const { username } = new URL(own);
    const schema = newSchema();
    const storage = open({ url: own, schema, pool: { max: 1 } });
    await storage.setup();
    await query(`alter role ${username} connection limit 1`);
    const { heard } = await listen(storage);
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    heard.length = 0;
    await query(`alter role ${username} connection limit -1`);
    await expect.poll(() => heard, { interval: 5 }).toEqual([main]);
  });

  test("ends with the last subscription, and comes back with the next", async () => {
    const schema = newSchema();
    const storage = open({ url, schema, pool: { application_name: schema } });
    for (let round = 0; round < 3; round++) {
      const [one, other] = await Promise.all([listen(storage), listen(storage)]);
      expect(await listeners(schema)).toBe(1);
      await one.subscription.close();
      await storage.createRuns([newRun(`run-${round}`)]);
      await expect.poll(() => other.heard, { interval: 5 }).toEqual([main]);
      // Another one comes while the last one goes.
      const [, third] = await Promise.all([other.subscription.close(), listen(storage)]);
      await open({ url, schema }).createRuns([newRun(`then-${round}`)]);
      await expect.poll(() => third.heard, { interval: 5 }).toEqual([main]);
      await third.subscription.close();
      await expect.poll(() => listeners(schema), { interval: 10 }).toBe(0);
    }
  });

  test("does not keep a process alive, nor does anything else of a storage that nobody closed", async () => {
    expect(await child(new URL("children/forget.ts", import.meta.url), [url, newSchema()])).toBe("subscribed");
  });

  test("comes back after the server was killed and started again", { timeout: 60_000 }, async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const [one, other] = [open(server.url), open(server.url)];
    await other.setup();
    const { heard } = await listen(one);
    await server.kill();
    await expect(other.createRuns([newRun("lost")])).rejects.toMatchObject({ code: "unavailable" });
    await sleep(50);
    await server.restart();
    await expect.poll(() => heard.splice(0), { interval: 5, timeout: 20_000 }).toEqual([main]);
    await other.createRuns([newRun("run")]);
    await expect.poll(() => heard, { interval: 5 }).toEqual([main]);
  });
});
