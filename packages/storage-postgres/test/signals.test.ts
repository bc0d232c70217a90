import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { startPostgres } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { closedAfterTest } from "../../storage-sql/test/closed-after-test.ts";
import { describeHints, listen, main } from "../../storage-sql/test/hints.ts";
import { newRun } from "../../storage-sql/test/requests.ts";
import { letCreate, newSchema, newUser, query, terminate, url } from "./scratch.ts";

const open = (options: Parameters<typeof postgres>[0]): StorageBackend => closedAfterTest(postgres(options));

/** How many connections listen to a schema's channel, of an application. */
async function listeners(application: string): Promise<number> {
  const rows = await query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where application_name = $1 and query like '%listen%'",
    [application],
  );
  return rows[0]!.count;
}

describeHints(async () => {
  const schema = newSchema();
  return () => postgres({ url, schema });
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
