import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedisCluster, type TestRedisCluster } from "perdure-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Load } from "./load.ts";

let cluster: TestRedisCluster;
let nodes: readonly Node[];

interface Node {
  readonly client: Redis;
  readonly id: string;
  readonly port: number;
}

beforeAll(async () => {
  cluster = await startRedisCluster();
  nodes = await Promise.all(
    cluster.masters.map(async ({ url, port }) => {
      const client = new Redis(url);
      return { client, port, id: (await client.cluster("MYID")) as string };
    }),
  );
}, 120_000);
afterAll(async () => {
  for (const { client } of nodes) client.disconnect();
  await cluster.stop();
});

/** The slots of a node that have keys. */
async function filledSlots({ client }: Node): Promise<readonly number[]> {
  const slots = new Set<number>();
  for await (const keys of client.scanStream({ count: 1_000 }))
    for (const key of keys as string[]) slots.add(await client.cluster("KEYSLOT", key));
  return [...slots];
}

/** How often nodes have refused commands in these words. */
async function refusals(...words: readonly string[]): Promise<number> {
  const texts = await Promise.all(nodes.map(({ client }) => client.info("errorstats")));
  const counts = texts.flatMap((text) => [...text.matchAll(/errorstat_(\w+):count=(\d+)/gu)]);
  return counts.filter(([, word]) => words.includes(word!)).reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** Moves a slot as Redis's own tools do, one key after the other, while others read and write its keys. */
async function moveSlot(slot: number, from: Node, to: Node): Promise<void> {
  await to.client.cluster("SETSLOT", slot, "IMPORTING", from.id);
  await from.client.cluster("SETSLOT", slot, "MIGRATING", to.id);
  for (;;) {
    const [key] = (await from.client.cluster("GETKEYSINSLOT", slot, 1)) as readonly string[];
    if (key === undefined) break;
    await from.client.migrate("127.0.0.1", to.port, key, 0, 5_000);
  }
  for (const { client } of [to, from]) {
    await client.cluster("SETSLOT", slot, "NODE", to.id);
  }
}

test(
  "slots move to other nodes while workers work: nothing acknowledged is lost, and they go on (I1, I3, I4, I9)",
  { timeout: 120_000 },
  async () => {
    const load = await Load.begin(() => redis({ nodes: [cluster.url], shards: 6 }));
    try {
      await load.look();
      let moved = 0;
      for (const [index, from] of nodes.entries()) {
        const to = nodes[(index + 1) % nodes.length]!;
        for (const slot of await filledSlots(from)) {
          await moveSlot(slot, from, to);
          moved += 1;
        }
        await load.goOn();
      }
      // Also that of the store's own settings.
      expect(moved).toBeGreaterThanOrEqual(7);
      expect(await refusals("MOVED")).toBeGreaterThan(0);
      expect(await refusals("ASK", "TRYAGAIN")).toBeGreaterThan(0);
      await load.look();
      expect(await load.settle()).toBe(0);
    } finally {
      await load.close();
    }
  },
);
