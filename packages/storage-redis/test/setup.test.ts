import { redis } from "@perdure/storage-redis";
import { Cluster, Redis } from "ioredis";
import { findRedis, findRedisCluster, startRedis } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { admin, newPrefix, open } from "./scratch.ts";

test("the first of ten decides how many shards there are, and the others take it (I25)", async () => {
  const prefix = newPrefix();
  const storages = Array.from({ length: 10 }, (_, n) => open({ prefix, ...(n % 2 === 0 ? { shards: 3 } : {}) }));
  await storages[0]!.setup();
  await Promise.all(storages.map((storage) => storage.setup()));
  expect(await admin.hgetall(`${prefix}meta`)).toEqual({ version: "1", shards: "3" });
});

test("another number of shards is refused, and changes nothing (I25)", async () => {
  const prefix = newPrefix();
  await open({ prefix, shards: 2 }).setup();
  await expect(open({ prefix, shards: 3 }).setup()).rejects.toMatchObject({
    code: "misconfigured",
    message: expect.stringContaining("shards: 2"),
  });
  expect(await admin.hget(`${prefix}meta`, "shards")).toBe("2");
});

test("what newer code has written is refused", async () => {
  const prefix = newPrefix();
  await admin.hset(`${prefix}meta`, { version: "2", shards: "1" });
  await expect(open({ prefix }).getRun("a")).rejects.toMatchObject({ code: "schema-version" });
});

test("a Cluster has sixteen shards unless told otherwise", async () => {
  const { url } = await findRedisCluster();
  const prefix = newPrefix();
  const storage = open({ nodes: [url], prefix });
  await storage.setup();
  const cluster = new Cluster([url]);
  onTestFinished(async () => {
    await cluster.unlink(`${prefix}meta`);
    cluster.disconnect();
  });
  expect(await cluster.hget(`${prefix}meta`, "shards")).toBe("16");
});

test("a node of a Cluster is no single server (I29)", async () => {
  const { url } = await findRedisCluster();
  const codes = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      open({ client: newClient(url), prefix: `${n}${newPrefix()}` })
        .setup()
        .catch((error: unknown) => (error as { code: string }).code),
    ),
  );
  expect(codes).toContain("misconfigured");
});

describe("what a store says about durability", () => {
  test.each([
    ["always", { appendonly: "yes", appendfsync: "always" }, "fsync"],
    ["every second", { appendonly: "yes", appendfsync: "everysec" }, "bounded-loss"],
    ["when the system likes", { appendonly: "yes", appendfsync: "no" }, "bounded-loss"],
    ["snapshots only", { appendonly: "no", save: "60 1" }, "memory"],
    ["never", { appendonly: "no" }, "memory"],
  ] as const)("of a server that syncs %s", { timeout: 60_000 }, async (_, settings, durability) => {
    const server = await startRedis({ settings });
    onTestFinished(() => server.stop());
    const storage = redis(server.url);
    expect(storage.info.capabilities.durability).toBe("memory");
    await storage.setup();
    expect(storage.info.capabilities.durability).toBe(durability);
    await storage.close();
  });

  test("of a server that does not tell: what its user says", { timeout: 60_000 }, async () => {
    const server = await startRedis({ settings: { "rename-command": 'CONFIG ""' } });
    onTestFinished(() => server.stop());
    const storages = [redis(server.url), redis({ url: server.url, durability: "bounded-loss" })];
    await Promise.all(storages.map((storage) => storage.setup()));
    expect(storages.map(({ info }) => info.capabilities.durability)).toEqual(["memory", "bounded-loss"]);
    await Promise.all(storages.map((storage) => storage.close()));
  });
});

test("the caller's client goes on after close, and has nothing of ours", async () => {
  const client = newClient((await findRedis()).url);
  const storage = open({ client, prefix: newPrefix() });
  await storage.setup();
  const listeners = client.listenerCount("error");
  await storage.close();
  expect(await client.ping()).toBe("PONG");
  expect(client.listenerCount("error")).toBe(listeners - 1);
});

function newClient(url: string): Redis {
  const client = new Redis(url);
  onTestFinished(() => client.disconnect());
  return client;
}
