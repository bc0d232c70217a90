import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { SENTINEL_NAME, startRedis, startRedisSentinel, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Load } from "./load.ts";

let master: TestServer;
let replica: TestServer;
let sentinel: TestServer;
beforeAll(async () => {
  master = await startRedis();
  replica = await startRedis({ settings: { replicaof: `${master.host} ${master.port}` } });
  sentinel = await startRedisSentinel(master);
}, 60_000);
afterAll(async () => {
  for (const server of [sentinel, replica, master]) await server?.stop();
});

/** A master hands what it wrote to its replica a moment after it has answered. */
const BEHIND_MS = 1_000;

async function roleOf({ url }: TestServer): Promise<unknown> {
  const node = new Redis(url);
  const [role] = (await node.role()) as readonly unknown[];
  node.disconnect();
  return role;
}

test(
  "Sentinel makes a replica the master: what was acknowledged before the last moment stands, workers go on, and the old master writes nothing more (I1, I3, I6, I9)",
  { timeout: 120_000 },
  async () => {
    const sentinels = [{ host: sentinel.host, port: sentinel.port }];
    const load = await Load.begin(() => redis({ connection: { sentinels, name: SENTINEL_NAME } }));
    try {
      await load.look();
      await master.kill();
      const to = performance.now();
      await expect.poll(() => roleOf(replica), { interval: 50, timeout: 30_000 }).toBe("master");
      await load.goOn();
      await load.look();
      await master.restart();
      await expect.poll(() => roleOf(master), { interval: 50, timeout: 30_000 }).toBe("slave");
      await load.goOn();
      await load.settle({ from: to - BEHIND_MS, to });
    } finally {
      await load.close();
    }
  },
);
