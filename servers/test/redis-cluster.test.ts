import { Cluster } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { skippedBackends, startRedisCluster, type TestRedisCluster } from "../src/index.ts";
import { query } from "./queries.ts";

/** A range of slots, and its master and replicas. */
type Slots = readonly [from: number, to: number, ...servers: (readonly [host: string, port: number])[]];

describe.runIf(!skippedBackends().includes("redis"))("a Redis Cluster of a test's own", () => {
  let cluster: TestRedisCluster;
  let client: Cluster;
  const password = "it's \" secret";
  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1, password });
    const { host, port } = cluster;
    client = new Cluster([{ host, port }], { redisOptions: { password } });
  }, 60_000);
  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });

  it("has three masters with a third of the slots each, and a replica for each", async () => {
    const slots = (await query(cluster.url, "cluster slots")) as readonly Slots[];
    const found = slots.map(([from, to, ...servers]) => ({ from, to, ports: servers.map(([, port]) => port) }));
    const ports = [0, 1, 2].map((n) => [cluster.masters[n]!.port, cluster.replicas[n]!.port]);
    expect(found.toSorted((one, other) => one.from - other.from)).toEqual([
      { from: 0, to: 5460, ports: ports[0] },
      { from: 5461, to: 10_921, ports: ports[1] },
      { from: 10_922, to: 16_383, ports: ports[2] },
    ]);
  });

  it("keeps what was written when all of it is killed and restarted", { timeout: 60_000 }, async () => {
    const keys = Array.from({ length: 30 }, (_, n) => `kept-${n}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    await cluster.kill();
    await expect(query(cluster.url, "ping")).rejects.toThrow("ECONNREFUSED");
    await cluster.restart();
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
  });

  it("goes on with a replica where a master is killed", { timeout: 60_000 }, async () => {
    const [, master] = cluster.masters;
    await master!.kill();
    await vi.waitFor(
      async () => expect(await query(cluster.replicas[1]!.url, "role")).toEqual(expect.arrayContaining(["master"])),
      { timeout: 20_000, interval: 100 },
    );
    await vi.waitFor(async () => expect(await client.set("kept-0", "again")).toBe("OK"), { timeout: 20_000 });
  });
});
