import { setTimeout as sleep } from "node:timers/promises";
import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedis, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";

let server: TestServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis({ settings: { "busy-reply-threshold": 50 } });
  admin = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  admin.on("error", () => {});
}, 60_000);
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function noticed(load: Load): Promise<void> {
  await expect.poll(() => load.codes.at(-1), { interval: 5, timeout: 20_000 }).toBe("storage-unavailable");
}

const troubles: Record<string, (load: Load) => Promise<void>> = {
  "its connections are ended, ten times": async () => {
    for (let n = 0; n < 10; n++) {
      await sleep(50);
      await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    }
  },
  "it forgets its scripts, again and again": async (load) => {
    for (let n = 0; n < 100; n++) {
      await admin.script("FLUSH");
      await sleep(3);
    }
    // Nobody has noticed.
    expect(load.codes).toEqual([]);
  },
  "a script keeps it busy": async (load) => {
    const [slow, after] = [new Redis(server.url), new Redis(server.url)];
    await after.ping();
    const killed = slow.eval("while true do end", 0).catch((error: unknown) => String(error));
    await noticed(load);
    await after.script("KILL");
    expect(await killed).toContain("Script killed by user");
    slow.disconnect();
    after.disconnect();
  },
  "its memory is full": async (load) => {
    await admin.config("SET", "maxmemory", "1");
    await noticed(load);
    await admin.config("SET", "maxmemory", "0");
  },
  "it becomes a replica, and is the master again": async (load) => {
    await admin.replicaof("127.0.0.1", 1);
    await noticed(load);
    await admin.replicaof("NO", "ONE");
  },
  "it is stopped and started again": () => server.restart(),
  "it is killed, and started again, three times": async (load) => {
    for (let n = 0; n < 3; n++) {
      if (n > 0) await load.goOn();
      await server.kill();
      await noticed(load);
      await server.restart();
    }
  },
};

describe("a server that syncs each write, under load", () => {
  test.each(Object.keys(troubles))(
    "%s: nothing acknowledged is lost, no process ends, and the worker goes on by itself (I1, I4, I9, I12)",
    { timeout: 90_000 },
    async (what) => {
      const prefix = `trouble-${Object.keys(troubles).indexOf(what)}:`;
      const load = await Load.begin(() => redis({ url: server.url, prefix }));
      try {
        await load.look();
        await troubles[what]!(load);
        await load.goOn();
        await load.look();
        expect(await load.settle()).toBe(0);
        // It says so when it begins and when it is over, not each time that it tries.
        const outages = load.codes.filter((_, at) => at % 2 === 0);
        expect(load.codes).toEqual(outages.flatMap(() => ["storage-unavailable", "storage-available"]));
      } finally {
        await load.close();
      }
    },
  );
});
