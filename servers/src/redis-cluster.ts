import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { machine, type Surroundings } from "./binaries.ts";
import type { TestServer } from "./daemon.ts";
import type { ServerOptions } from "./options.ts";
import { freePort } from "./port.ts";
import { redisFields, withRedis } from "./redis-client.ts";
import { startRedis } from "./redis.ts";

const MASTERS = 3;
const SLOTS = 16_384;
const PATIENCE_MS = 60_000;

export interface RedisClusterOptions extends ServerOptions {
  /** Of each master; none by default. */
  readonly replicas?: number;
}

/** A Redis Cluster of a test's own. As a server it is all of its nodes; `url`, `host` and `port` are those of the first. */
export interface TestRedisCluster extends Omit<TestServer, "folder"> {
  /** Each had a third of the slots, in this order, when it was started. */
  readonly masters: readonly TestServer[];
  /** The n-th replicates the master n modulo 3. */
  readonly replicas: readonly TestServer[];
}

/**
 * Starts a Redis Cluster of three masters. It syncs what it writes before it answers, as {@link startRedis}. A master that is gone is
 * given up after a second.
 * @throws if Redis is not installed and cannot be, or does not start
 */
export async function startRedisCluster(
  { settings, password, replicas: each = 0 }: RedisClusterOptions = {},
  surroundings: Surroundings = machine,
): Promise<TestRedisCluster> {
  const start = async (): Promise<TestServer> => {
    const own = {
      "cluster-enabled": "yes",
      "cluster-port": await freePort(),
      "cluster-node-timeout": 1_000,
      // Each stays with its master.
      "cluster-allow-replica-migration": "no",
      "repl-ping-replica-period": 1,
      ...settings,
    };
    return await startRedis({ settings: own, ...(password !== undefined && { password }) }, surroundings);
  };
  const started = await Promise.allSettled(Array.from({ length: MASTERS * (1 + each) }, start));
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const all = async (act: (node: TestServer) => Promise<void>): Promise<void> =>
    void (await Promise.all(nodes.map(act)));
  try {
    for (const one of started) if (one.status === "rejected") throw one.reason;
    const masters = nodes.slice(0, MASTERS);
    const replicas = nodes.slice(MASTERS);
    await unite(masters, replicas);
    const [{ url, host, port }] = masters as [TestServer];
    const restart = async (): Promise<void> => {
      await all((node) => node.restart());
      await all((node) => isWhole(node.url, nodes.length));
    };
    return {
      url,
      host,
      port,
      masters,
      replicas,
      restart,
      kill: () => all((node) => node.kill()),
      stop: () => all((node) => node.stop()),
    };
  } catch (error) {
    await all((node) => node.stop());
    throw error;
  }
}

async function unite(masters: readonly TestServer[], replicas: readonly TestServer[]): Promise<void> {
  const nodes = [...masters, ...replicas];
  for (const [index, { url }] of nodes.entries()) {
    await withRedis(url, async (node) => {
      await node.cluster("SET-CONFIG-EPOCH", index + 1);
      const [from, to] = [index, index + 1].map((third) => Math.floor((third * SLOTS) / MASTERS)) as [number, number];
      if (index < MASTERS) await node.call("CLUSTER", "ADDSLOTSRANGE", from, to - 1);
    });
  }
  await withRedis(masters[0]!.url, async (first) => {
    for (const { host, port, url } of nodes.slice(1)) {
      const bus = await withRedis(url, (node) => node.config("GET", "cluster-port"));
      await first.call("CLUSTER", "MEET", host, port, (bus as string[])[1]!);
    }
  });
  await Promise.all(nodes.map(({ url }) => knowsAll(url, nodes.length)));
  await Promise.all(replicas.map(({ url }, index) => replicate(url, masters[index % MASTERS]!.url)));
  await Promise.all(nodes.map(({ url }) => isWhole(url, nodes.length)));
}

async function knowsAll(url: string, nodes: number): Promise<void> {
  await until("knows all others", url, async (node) => {
    const info = redisFields(await node.cluster("INFO"));
    return info.get("cluster_state") === "ok" && info.get("cluster_known_nodes") === String(nodes);
  });
}

async function replicate(url: string, masterUrl: string): Promise<void> {
  const master = await withRedis(masterUrl, (node) => node.cluster("MYID"));
  await withRedis(url, (node) => node.cluster("REPLICATE", master));
}

/** Resolves when a node says that every slot is served, and by all that shall serve it: replicas count when they have their data. */
async function isWhole(url: string, nodes: number): Promise<void> {
  await until("sees the whole Cluster", url, async (node) => {
    const info = redisFields(await node.cluster("INFO"));
    const slots = (await node.cluster("SLOTS")) as readonly (readonly unknown[])[];
    const serving = new Set(slots.flatMap(([, , ...servers]) => servers.map((one) => (one as readonly unknown[])[1])));
    return info.get("cluster_state") === "ok" && serving.size === nodes;
  });
}

/** @param what completes "The node …" */
async function until(what: string, url: string, holds: (node: Redis) => Promise<boolean>): Promise<void> {
  const started = performance.now();
  await withRedis(url, async (node) => {
    while (!(await holds(node))) {
      if (performance.now() - started > PATIENCE_MS) throw new Error(`No node at ${new URL(url).host} ${what}.`);
      await sleep(25);
    }
  });
}

/** Rejects if the server does not answer, or is no node of a Cluster that is whole and keeps what it is given. */
export async function greetRedisCluster(url: string): Promise<void> {
  await withRedis(url, async (client) => {
    const info = redisFields(await client.info());
    if (info.get("cluster_enabled") !== "1") throw new Error("it is no node of a Cluster");
    if (info.get("aof_enabled") !== "1") throw new Error("it has no append-only file (appendonly no)");
    const state = redisFields(await client.cluster("INFO")).get("cluster_state");
    if (state !== "ok") throw new Error(`the Cluster's state is ${state}`);
  });
}
