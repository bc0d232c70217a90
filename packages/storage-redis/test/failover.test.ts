import { redis, type RedisOptions } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedisCluster, type TestRedisCluster, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Load } from "./load.ts";

let cluster: TestRedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: 1 });
}, 120_000);
afterAll(() => cluster.stop());

async function isMaster({ url }: TestServer): Promise<boolean> {
  const node = new Redis(url);
  const [role] = (await node.role()) as readonly unknown[];
  node.disconnect();
  return role === "master";
}

const open =
  (prefix: string, options: RedisOptions = {}) =>
  () =>
    redis({ nodes: cluster.masters.map(({ url }) => url), prefix, ...options });

/** A master hands what it wrote to its replica a moment after it has answered. */
const BEHIND_MS = 1_000;

test(
  "a master is killed and its replica takes over: what was acknowledged before the last moment stands, and workers go on (I1, I3, I9)",
  { timeout: 120_000 },
  async () => {
    const load = await Load.begin(open("killed:"));
    try {
      await load.look();
      await cluster.masters[1]!.kill();
      const to = performance.now();
      await expect.poll(() => isMaster(cluster.replicas[1]!), { interval: 50, timeout: 30_000 }).toBe(true);
      await load.goOn();
      await load.look();
      // The old master comes back as a replica of the new one.
      await cluster.masters[1]!.restart();
      await load.goOn();
      await load.settle({ from: to - BEHIND_MS, to });
    } finally {
      await load.close();
    }
  },
);

test(
  "a replica takes over by an administrator's order: nothing acknowledged is lost, and workers go on (I1, I4, I9)",
  { timeout: 120_000 },
  async () => {
    const load = await Load.begin(open("ordered:"));
    try {
      await load.look();
      const [replica] = cluster.replicas as readonly [TestServer];
      const node = new Redis(replica.url);
      await node.cluster("FAILOVER");
      node.disconnect();
      await expect.poll(() => isMaster(replica), { interval: 50, timeout: 30_000 }).toBe(true);
      await load.goOn();
      await load.look();
      expect(await load.settle()).toBe(0);
    } finally {
      await load.close();
    }
  },
);

test(
  "a master stands still for so long that its replica takes over, and wakes: no history has two writers, and workers go on (I1, I3, I6, I9)",
  { timeout: 120_000 },
  async () => {
    const [, , master] = cluster.masters as readonly TestServer[];
    const [, , replica] = cluster.replicas as readonly TestServer[];
    const node = new Redis(master!.url);
    const pid = Number(/process_id:(\d+)/u.exec(await node.info("server"))![1]);
    node.disconnect();
    const load = await Load.begin(open("paused:", { requestTimeout: 2_000 }));
    const from = performance.now() - BEHIND_MS;
    try {
      await load.look();
      process.kill(pid, "SIGSTOP");
      await expect.poll(() => isMaster(replica!), { interval: 50, timeout: 30_000 }).toBe(true);
      await load.goOn();
      process.kill(pid, "SIGCONT");
      // Until it hears of the new master it may acknowledge what was on its way.
      await expect.poll(() => isMaster(master!), { interval: 10, timeout: 30_000 }).toBe(false);
      const to = performance.now();
      await load.goOn();
      await load.look();
      await load.settle({ from, to });
    } finally {
      process.kill(pid, "SIGCONT");
      await load.close();
    }
  },
);
