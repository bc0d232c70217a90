import { createClient, isPerdureError, workflow } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { redis, type RedisOptions } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedis, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

let server: TestServer;
let admin: Redis;
beforeAll(async () => {
  // Microseconds.
  const loading = { "key-load-delay": 300 };
  server = await startRedis({ settings: { "busy-reply-threshold": 50, ...loading } });
  admin = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  admin.on("error", () => {});
}, 60_000);
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const nothing = workflow({ name: "nothing" }, async () => null);
let prefixes = 0;

/** A storage with a prefix of its own, closed after the test. */
function open(options: RedisOptions = { url: server.url }): StorageBackend {
  const storage = redis({ prefix: `refusals-${prefixes++}:`, ...options });
  onTestFinished(() => storage.close());
  return storage;
}

/** A storage that has the run `first`. */
async function inUse(options?: RedisOptions): Promise<StorageBackend> {
  const storage = open(options);
  await storage.setup();
  expect(await start(storage, "first")).toBeNull();
  return storage;
}

/** The code of the error that a start ends with, if one does. */
async function start(storage: StorageBackend, id: string): Promise<string | null> {
  const client = createClient({ storage });
  const code = await codeOf(() => client.start(nothing, undefined, { id }));
  await client.close();
  return code;
}

async function codeOf(call: () => Promise<unknown>): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    if (!isPerdureError(error)) throw error;
    return error.code;
  }
}

/** Sets something of the server until the test has ended. */
async function configure(name: string, value: string): Promise<void> {
  const [, before] = (await admin.config("GET", name)) as [string, string];
  onTestFinished(async () => void (await admin.config("SET", name, before)));
  await admin.config("SET", name, value);
}

test("a server that may evict data is refused, and told how it should be", async () => {
  await configure("maxmemory-policy", "allkeys-lru");
  const refused = open().setup();
  await expect(refused).rejects.toMatchObject({ code: "misconfigured" });
  await expect(refused).rejects.toThrow("Set maxmemory-policy noeviction");
});

test.each([
  ["appendfsync", "always", "fsync"],
  ["appendfsync", "everysec", "bounded-loss"],
  ["appendonly", "no", "memory"],
])("%s %s is declared as %s", async (name, value, durability) => {
  await configure(name, value);
  const storage = open();
  await storage.setup();
  expect(storage.info.capabilities.durability).toBe(durability);
});

test("without memory nothing is written, what is there can be read, and it goes on when there is some again (I3, I29)", async () => {
  const storage = await inUse();
  await admin.config("SET", "maxmemory", "1");
  try {
    expect(await start(storage, "second")).toBe("unavailable");
    expect(await storage.getRun("first")).toMatchObject({ runId: "first" });
    expect(await storage.getRun("second")).toBeUndefined();
  } finally {
    await admin.config("SET", "maxmemory", "0");
  }
  expect(await start(storage, "second")).toBeNull();
});

test("while a script keeps the server busy it is unavailable (I29)", async () => {
  const storage = await inUse();
  const [slow, killer] = [new Redis(server.url), new Redis(server.url)];
  await Promise.all([slow.ping(), killer.ping()]);
  const over = slow.eval("while true do end", 0).catch(() => {});
  try {
    expect(await start(storage, "second")).toBe("unavailable");
    expect(await codeOf(() => storage.getRun("first"))).toBe("unavailable");
  } finally {
    await killer.script("KILL");
    await over;
    for (const client of [slow, killer]) client.disconnect();
  }
  expect(await start(storage, "second")).toBeNull();
});

test("who meets a replica is told; who has written there before is to try again (I29)", async () => {
  const storage = await inUse();
  const stranger = open();
  await admin.replicaof("127.0.0.1", 1);
  try {
    expect(await codeOf(() => stranger.setup())).toBe("read-only");
    expect(await start(storage, "second")).toBe("unavailable");
  } finally {
    await admin.replicaof("NO", "ONE");
  }
  expect(await codeOf(() => stranger.setup())).toBeNull();
  await expect.poll(() => start(storage, "second"), { timeout: 10_000 }).toBeNull();
});

test("a server that loads its data is unavailable until it has all of it (I4, I29)", { timeout: 60_000 }, async () => {
  const impatient = new Redis(server.url, {
    enableReadyCheck: false,
    retryStrategy: () => 20,
    maxRetriesPerRequest: 0,
  });
  impatient.on("error", () => {});
  onTestFinished(() => impatient.disconnect());
  const storages = [await inUse(), await inUse({ client: impatient })];
  // It listens after each thousand of what it loads.
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => admin.set("filling", n)));
  await server.kill();
  const codes = new Set<string | null>();
  let isBack = false;
  const back = server.restart().then(() => (isBack = true));
  while (!isBack) {
    codes.add(await codeOf(() => storages[1]!.getRun("first")));
  }
  await back;
  expect(codes).toContain("unavailable");
  for (const storage of storages) {
    await expect.poll(() => codeOf(() => storage.getRun("first")), { timeout: 10_000 }).toBeNull();
    expect(await storage.getRun("first")).toMatchObject({ runId: "first" });
  }
  expect(await admin.info("errorstats")).toContain("errorstat_LOADING");
});
