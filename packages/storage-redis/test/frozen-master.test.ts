import { createClient, createWorker, workflow } from "@perdure/core";
import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedisCluster, type TestRedisCluster } from "perdure-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { shardPrefix } from "../src/keys.ts";
import { shardOf } from "../src/shards.ts";

const SHARDS = 16;
const SLOTS = 16_384;
/** Far less than the requestTimeout. */
const SOON_MS = 8_000;

let cluster: TestRedisCluster;
let admin: Redis;
beforeAll(async () => {
  // Nobody takes over, and nobody says that somebody should.
  cluster = await startRedisCluster({ settings: { "cluster-node-timeout": 120_000 } });
  admin = new Redis(cluster.url);
}, 120_000);
afterAll(async () => {
  admin.disconnect();
  await cluster.stop();
});

const steady = workflow({ name: "steady" }, async (ctx, steps: number) => {
  let done = 0;
  for (; done < steps; done++) {
    await ctx.run(`step-${done}`, () => null);
    await ctx.sleep("50ms");
  }
  return done;
});

/** Which master has a run. */
async function masterOf(runId: string): Promise<number> {
  const slot = (await admin.cluster("KEYSLOT", shardPrefix("perdure:", "default", shardOf(runId, SHARDS)))) as number;
  return Math.floor((slot * cluster.masters.length) / SLOTS);
}

async function pidOf(url: string): Promise<number> {
  const node = new Redis(url);
  const info = await node.info("server");
  node.disconnect();
  return Number(/process_id:(\d+)/u.exec(info)![1]);
}

test("a master that stands still holds up its own runs and no others (I9)", { timeout: 90_000 }, async () => {
  const frozen = 1;
  const pid = await pidOf(cluster.masters[frozen]!.url);
  const storage = redis({ nodes: cluster.masters.map(({ url }) => url) });
  const worker = createWorker({ storage, workflows: [steady] });
  const working = worker.run();
  const client = createClient({ storage });
  onTestFinished(async () => {
    process.kill(pid, "SIGCONT");
    await worker.stop();
    await working;
    await client.close();
    await storage.close();
  });
  const ids = Array.from({ length: 60 }, (_, n) => `run-${n}`);
  const masters = await Promise.all(ids.map(masterOf));
  const held = ids.filter((_, n) => masters[n] === frozen);
  const free = ids.filter((_, n) => masters[n] !== frozen);
  const before = await Promise.all(ids.map((id) => client.start(steady, 20, { id })));
  await expect
    .poll(
      async () => (await storage.readEvents(ids.map((runId) => ({ runId, after: 0 })))).map(({ lastSeq }) => lastSeq),
      {
        timeout: 20_000,
      },
    )
    .toEqual(ids.map(() => expect.toSatisfy((seq: number) => seq > 3)));

  process.kill(pid, "SIGSTOP");
  const late = held.map((id) => client.start(steady, 1, { id: `late ${id}` }).catch((error: unknown) => error));
  const results = before.filter((_, n) => masters[n] !== frozen).map((run) => run.result({ timeout: SOON_MS }));
  expect(await Promise.all(results)).toEqual(free.map(() => 20));
  const more = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => ((await masterOf(`more-${n}`)) === frozen ? [] : [`more-${n}`])),
  );
  const runs = more.flat().map(async (id) => (await client.start(steady, 2, { id })).result({ timeout: SOON_MS }));
  expect(new Set(await Promise.all(runs))).toEqual(new Set([2]));

  process.kill(pid, "SIGCONT");
  expect(await Promise.all(before.map((run) => run.result({ timeout: 30_000 })))).toEqual(ids.map(() => 20));
  expect(await Promise.all(late)).not.toContainEqual(expect.any(Error));
});
