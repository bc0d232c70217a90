import { Cluster, Redis, type RedisOptions } from "ioredis";
import { findRedis, findRedisCluster } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { finishRuns } from "./load-everything.ts";
import { admin, newPrefix, open } from "./scratch.ts";

const { url } = await findRedis();

describe("a client of the caller's works as he has set it", () => {
  test.each([
    { enableAutoPipelining: true },
    { enableOfflineQueue: false },
    { maxRetriesPerRequest: null },
    { lazyConnect: true },
    { commandTimeout: 10_000 },
    { stringNumbers: true },
    { enableReadyCheck: false },
    { readOnly: true },
    { connectionName: "of the caller" },
    { db: 3 },
  ] satisfies RedisOptions[])("%o", async (options) => {
    const client = new Redis(url, options as object);
    onTestFinished(() => client.disconnect());
    if (!("lazyConnect" in options)) await new Promise((resolve) => void client.once("ready", resolve));
    const prefix = newPrefix();
    const storage = open({ client, prefix });
    let heard = 0;
    const subscription = await storage.subscribe!(() => heard++);
    subscription.add({ of: "queue", queue: "default" });
    expect(await finishRuns(storage, ["one"])).toEqual(["0 done"]);
    await expect.poll(() => heard, { interval: 5 }).toBeGreaterThan(0);
    expect((await admin.pubsub("NUMSUB", `${prefix}hints:default`)) as unknown[]).toContain(1);
    if ("db" in options) await client.flushdb();
  });

  test("of a Cluster with automatic pipelines", { timeout: 30_000 }, async () => {
    const { url: node } = await findRedisCluster();
    const client = new Cluster([node], { enableAutoPipelining: true });
    const prefix = newPrefix();
    onTestFinished(async () => {
      for (const master of client.nodes("master"))
        for await (const keys of master.scanStream({ match: `${prefix}*`, count: 1_000 }))
          await Promise.all((keys as string[]).map((key) => master.unlink(key)));
      client.disconnect();
    });
    expect(await finishRuns(open({ client, prefix }), ["one", "two"])).toHaveLength(2);
  });
});
