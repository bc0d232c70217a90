import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { createClient, createWorker, signal, workflow } from "@perdure/core";
import { redis } from "@perdure/storage-redis";
import { startRedis, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, expect, test } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startRedis({ settings: { "auto-aof-rewrite-percentage": 0 } });
}, 60_000);
afterAll(() => server.stop());

/** The log that is written to. */
function log(): string {
  const folder = join(server.folder, "appendonlydir");
  return join(
    folder,
    readdirSync(folder)
      .filter((name) => name.endsWith(".incr.aof"))
      .toSorted()
      .at(-1)!,
  );
}

test("half of a script's writes at the end of the log come back with no start (I3)", { timeout: 60_000 }, async () => {
  const go = signal<string>("go");
  const waiting = workflow({ name: "waiting" }, (ctx) => ctx.waitFor(go));
  const storage = redis(server.url);
  const client = createClient({ storage });
  await storage.setup();
  const kept = await client.start(waiting, undefined, { id: "kept" });
  await client.start(waiting, undefined, { id: "torn" });
  await server.kill();
  // As the machine's end leaves it: the last record is cut off in its middle, and so is what the script wrote before.
  truncateSync(log(), statSync(log()).size - 40);
  const before = log();
  await server.restart();

  const worker = createWorker({ storage, workflows: [waiting] });
  const working = worker.run();
  await expect.poll(() => kept.status(), { timeout: 10_000 }).toBe("suspended");
  await expect.poll(log, { timeout: 10_000 }).not.toBe(before);
  await expect.poll(() => readdirSync(join(server.folder, "appendonlydir")), { timeout: 10_000 }).toHaveLength(3);
  await kept.signal(go, "on");
  expect(await kept.result()).toBe("on");
  await server.kill();
  await server.restart();

  await expect.poll(() => storage.getRun("kept").catch(() => null), { timeout: 10_000 }).not.toBeNull();
  expect(await storage.getRun("kept")).toMatchObject({ status: "completed", lastSeq: 4 });
  expect(await storage.getRun("torn")).toBeUndefined();
  expect(await storage.readEvents([{ runId: "torn", after: 0 }])).toEqual([{ events: [], lastSeq: 0 }]);
  await worker.stop();
  await working;
  await client.close();
  await storage.close();
});

test(
  "nor do they if nobody has claimed anything in between, and only starts were written (I3)",
  { timeout: 60_000 },
  async () => {
    const waiting = workflow({ name: "waiting" }, async () => null);
    const storage = redis({ url: server.url, prefix: "starts:" });
    const client = createClient({ storage });
    await storage.setup();
    await client.start(waiting, undefined, { id: "torn" });
    await server.kill();
    truncateSync(log(), statSync(log()).size - 40);
    const before = log();
    await server.restart();

    await expect
      .poll(() => client.start(waiting, undefined, { id: "kept" }).catch(() => null), { timeout: 10_000 })
      .not.toBeNull();
    await expect.poll(log, { timeout: 10_000 }).not.toBe(before);
    await expect.poll(() => readdirSync(join(server.folder, "appendonlydir")), { timeout: 10_000 }).toHaveLength(3);
    await server.kill();
    await server.restart();

    await expect.poll(() => storage.getRun("kept").catch(() => null), { timeout: 10_000 }).not.toBeNull();
    expect(await storage.getRun("kept")).toMatchObject({ status: "open", lastSeq: 1 });
    expect(await storage.getRun("torn")).toBeUndefined();
    await client.close();
    await storage.close();
  },
);
