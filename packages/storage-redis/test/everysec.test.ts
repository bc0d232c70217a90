import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { redis } from "@perdure/storage-redis";
import { startRedis, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Load, type Span } from "./load.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startRedis({ settings: { appendfsync: "everysec", "auto-aof-rewrite-percentage": 0 } });
}, 60_000);
afterAll(() => server.stop());

/**
 * Loses the machine's power: of what was written lately only a part has reached the disk, down to the middle of a record. When nothing but
 * the process dies, the system still has it.
 */
async function losePower(load: Load): Promise<Span> {
  const log = join(server.folder, "appendonlydir", "appendonly.aof.1.incr.aof");
  const synced = statSync(log).size;
  const from = performance.now();
  await load.goOn();
  await load.look();
  await server.kill();
  const written = statSync(log).size;
  expect(written).toBeGreaterThan(synced);
  truncateSync(log, synced + Math.floor(0.8 * Math.random() * (written - synced)));
  return { from, to: performance.now() };
}

test(
  "a server that syncs every second loses its last moments and nothing else: no half commit, no gap, and workers go on (I1, I3, I9)",
  { timeout: 90_000 },
  async () => {
    const load = await Load.begin(() => redis(server.url));
    try {
      await load.look();
      const lossy = await losePower(load);
      await server.restart();
      await load.goOn();
      await load.look();
      expect(await load.settle(lossy)).toBeGreaterThan(0);
    } finally {
      await load.close();
    }
  },
);

test(
  "a server that syncs every second and whose process is killed loses nothing that was acknowledged (I4)",
  { timeout: 90_000 },
  async () => {
    const load = await Load.begin(() => redis({ url: server.url, prefix: "killed:" }));
    try {
      await load.look();
      await server.kill();
      await server.restart();
      await load.goOn();
      expect(await load.settle()).toBe(0);
    } finally {
      await load.close();
    }
  },
);

test("it says how much it may lose", async () => {
  const storage = redis(server.url);
  await storage.setup();
  expect(storage.info.capabilities.durability).toBe("bounded-loss");
  await storage.close();
});
