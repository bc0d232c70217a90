import { randomUUID } from "node:crypto";
import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";
import { letCreate, newSchema, newUser, query, url } from "./scratch.ts";

describe("defaults of a user that are not the server's own", () => {
  test("isolation: transactions that write see what others commit meanwhile", async () => {
    const own = await newUser({ default_transaction_isolation: "serializable" });
    await letCreate(own);
    const schema = newSchema();
    const storages = Array.from({ length: 6 }, () => postgres({ url: own, schema, pool: { max: 3 } }));
    onTestFinished(async () => void (await Promise.all(storages.map((storage) => storage.close()))));
    await Promise.all(storages.map((storage) => storage.setup()));
    const made = await Promise.all(
      storages.flatMap((storage) => Array.from({ length: 5 }, () => storage.createRuns([newRun(randomUUID())]))),
    );
    expect(made.flat().map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => "created"));
    const claimed = await Promise.all(
      storages.map((storage, at) => storage.claimTasks(anything({ workerInstance: `worker-${at}`, limit: 10 }))),
    );
    const ids = claimed.flatMap(({ tasks }) => tasks.map(({ claim }) => claim.runId));
    expect(new Set(ids).size).toBe(ids.length);
    const ended = await Promise.all(
      storages.map((storage, at) => storage.commitTasks(claimed[at]!.tasks.map(({ claim }) => done(claim, 1)))),
    );
    expect(ended.flat().filter(({ status }) => status !== "ok")).toEqual([]);
  });

  test("synchronous_commit: off is switched on where the session is ours, and else refused", async () => {
    const own = await newUser({ synchronous_commit: "off" });
    await letCreate(own);
    const schema = newSchema();
    // It has no value where the setting is "off".
    const clock = "floor(extract(epoch from now()))::bigint / (3 - length(current_setting('synchronous_commit')))";
    const storage = postgres({ url: own, schema, clock });
    expect(await storage.now()).toBeGreaterThan(0);
    await storage.close();

    const pool = new pg.Pool({ connectionString: own });
    onTestFinished(() => pool.end());
    const given = postgres({ pool, schema });
    await expect(given.setup()).rejects.toThrow("synchronous_commit is off");
    await given.close();
    expect(pool.ended).toBe(false);
  });

  test("a time-out of idle transactions: ours stands only where there is none", async () => {
    const schema = newSchema();
    const clock = "extract(epoch from current_setting('idle_in_transaction_session_timeout')::interval)::bigint";
    for (const [settings, seconds] of [
      [{}, 2],
      [{ idle_in_transaction_session_timeout: "7s" }, 7],
    ] as const) {
      const own = await newUser(settings);
      await letCreate(own);
      const storage = postgres({ url: own, schema: newSchema(), clock });
      expect(await storage.now()).toBe(seconds);
      await storage.close();
    }
    const storage = postgres({ url, schema, clock, pool: { idle_in_transaction_session_timeout: 3_000 } });
    expect(await storage.now()).toBe(3);
    await storage.close();
  });
});

test("a database that cannot hold every text is refused", async () => {
  const name = newSchema();
  await query(`create database ${name} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'`);
  onTestFinished(async () => void (await query(`drop database ${name} with (force)`)));
  const other = new URL(url);
  other.pathname = name;
  const storage = postgres(other.href);
  await expect(storage.setup()).rejects.toMatchObject({ code: "misconfigured" });
  await expect(storage.setup()).rejects.toThrow("encoding LATIN1");
  await storage.close();
});
