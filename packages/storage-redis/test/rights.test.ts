import { readFileSync } from "node:fs";
import type { StorageBackend } from "@perdure/core/storage";
import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedis, startRedisCluster } from "perdure-servers";
import { expect, onTestFinished, test } from "vitest";
import { anything, newRun } from "../../storage-sql/test/requests.ts";
import { finishRuns } from "./load-everything.ts";

/** The line that the documentation tells people to use. */
function documented(): readonly string[] {
  const text = readFileSync(new URL("../../../docs/storages/redis.md", import.meta.url), "utf8");
  const [line] = /^ACL SETUSER .*$/mu.exec(text)!;
  return line.split(" ").slice(1);
}

const [, user] = documented();

/** Has a user who may do what the documentation says, and no more. Answers what every node refused him, in the end. */
async function giveRights(urls: readonly string[]): Promise<() => Promise<readonly unknown[]>> {
  const nodes = urls.map((url) => new Redis(url));
  onTestFinished(() => nodes.forEach((node) => node.disconnect()));
  await Promise.all(nodes.map((node) => node.acl("SETUSER", ...(documented().slice(1) as [string]))));
  const logs = (): Promise<unknown[]> => Promise.all(nodes.map((node) => node.acl("LOG")));
  // The driver tells servers the name of its connection and its version, and does not mind if it may not.
  return async () => (await logs()).flat().filter((entry) => !JSON.stringify(entry).includes("client|set"));
}

function as(url: string): string {
  const known = new URL(url);
  known.username = user!;
  known.password = "secret";
  return known.href;
}

/** Each verb, each script, and all that they do only at times. */
async function useEverything(storage: StorageBackend): Promise<void> {
  const client = await storage.subscribe!(() => {});
  await finishRuns(storage, ["one", "two", "three"]);
  const claims = async () => (await storage.claimTasks(anything())).tasks.map(({ claim }) => claim);
  await storage.createRuns([newRun("by-hand")]);
  const [claim] = await claims();
  expect(await storage.renewLeases([claim!], 60_000)).toMatchObject([{ status: "held" }]);
  const owner = claim!;
  const written = await storage.writeCache([
    { key: "owned", value: "1", expiresAt: Date.now() + 60_000, mode: "first", owner },
    { key: "free", value: "1", expiresAt: null, mode: "replace" },
  ]);
  expect(written).toMatchObject([{ status: "written" }, { status: "written" }]);
  expect(await storage.readCache(["owned", "free", "none"])).toMatchObject([{ value: "1" }, { value: "1" }, undefined]);
  const common = { kind: "workflow", claim: owner, ackInbox: 0, events: [] } as const;
  await storage.commitTasks([
    { ...common, commitId: "block", expectedSeq: 1, next: { do: "block", until: null, reason: "{}" } },
  ]);
  expect(await storage.unblockTasks([owner.taskId])).toEqual([{ status: "unblocked" }]);
  const message = { runId: "by-hand", dedupeId: "1", external: true, data: "1" };
  expect(await storage.deliver([message, message])).toEqual([{ status: "accepted" }, { status: "duplicate" }]);
  const [again] = await claims();
  const ended = await storage.commitTasks([
    {
      ...common,
      claim: again!,
      commitId: "end",
      expectedSeq: 1,
      close: { status: "completed", output: "1", discardUnread: true },
      next: { do: "done" },
    },
  ]);
  expect(ended).toMatchObject([{ status: "ok" }]);
  expect((await storage.listRuns({ limit: 10, status: ["completed"], attributes: {} })).items).toHaveLength(7);
  expect(await storage.readEvents([{ runId: "by-hand", after: 0 }])).toMatchObject([{ lastSeq: 1 }]);
  expect(await storage.getRun("by-hand")).toMatchObject({ status: "completed" });
  expect(await storage.stats()).toMatchObject({ discardedMessages: 1 });
  await storage.now();
  expect(await storage.purgeRuns({ closedBefore: Date.now() + 60_000, minAgeMs: 0, limit: 100 })).toMatchObject({
    purged: 7,
  });
  await client.close();
}

test("with the documented rights everything works that Perdure does, and nothing else (I29)", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const refused = await giveRights([server.url]);
  const storage = redis(as(server.url));
  onTestFinished(() => storage.close());
  await useEverything(storage);
  expect(storage.info.capabilities.durability).toBe("fsync");
  expect(await refused()).toEqual([]);

  const intruder = new Redis(as(server.url));
  onTestFinished(() => intruder.disconnect());
  for (const forbidden of [
    ["get", "other:key"],
    ["keys", "*"],
    ["flushall"],
    ["config", "set", "maxmemory", "1"],
  ] as const)
    await expect(intruder.call(...(forbidden as [string]))).rejects.toThrow("NOPERM");
});

test("and so it does in a Cluster", { timeout: 60_000 }, async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const refused = await giveRights(cluster.masters.map(({ url }) => url));
  const storage = redis({ nodes: [as(cluster.url)] });
  onTestFinished(() => storage.close());
  await useEverything(storage);
  expect(storage.info.capabilities.durability).toBe("fsync");
  expect(await refused()).toEqual([]);
});

test("whoever lacks a right is told which (I29)", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await giveRights([server.url]);
  const admin = new Redis(server.url);
  await admin.acl("SETUSER", user!, "-evalsha");
  admin.disconnect();
  const storage = redis(as(server.url));
  onTestFinished(() => storage.close());
  await expect(storage.now()).rejects.toMatchObject({
    code: "misconfigured",
    message: expect.stringContaining("'evalsha'"),
  });
});
