import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isPerdureError, type StorageBackend } from "@perdure/core/storage";
import { mysql } from "@perdure/storage-mysql";
import { createPool } from "mysql2/promise";
import { startMariadb } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { newRun } from "../../storage-sql/test/requests.ts";
import { killConnections, newDatabase } from "./scratch.ts";

interface Outcomes {
  ok: number;
  unavailable: number;
}

/** Starts runs until it is told to stop; an outage counts, anything else ends it. */
function keepStarting(storage: StorageBackend, outcomes: Outcomes): () => Promise<void> {
  let isOver = false;
  const busy = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      try {
        await storage.createRuns([newRun(randomUUID())]);
        outcomes.ok += 1;
      } catch (error) {
        if (!isPerdureError(error, "unavailable")) throw error;
        outcomes.unavailable += 1;
        await sleep(5);
      }
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(busy);
  };
}

describe("lost connections end calls, never the process (I29)", () => {
  test("when an administrator ends them again and again", async () => {
    const url = await newDatabase();
    const storage = mysql({ url, maxConnections: 4 });
    onTestFinished(() => storage.close());
    await storage.setup();
    const subscription = await storage.subscribe!(() => {});
    const outcomes = { ok: 0, unavailable: 0 };
    const stop = keepStarting(storage, outcomes);
    let ended = 0;
    while (ended < 60) ended += await killConnections(url);
    await stop();
    expect(outcomes.unavailable).toBeGreaterThan(0);
    expect(await storage.createRuns([newRun("after")])).toMatchObject([{ status: "created" }]);
    await subscription.close();
  });

  test("when they lie idle", async () => {
    const url = await newDatabase();
    const storage = mysql(url);
    onTestFinished(() => storage.close());
    for (let round = 0; round < 3; round++) {
      await Promise.all(["a", "b", "c"].map((id) => storage.createRuns([newRun(`${id}-${round}`)])));
      expect(await killConnections(url)).toBeGreaterThan(0);
      // The news takes a moment.
      await sleep(20);
      expect(await storage.createRuns([newRun(`run-${round}`)])).toMatchObject([{ status: "created" }]);
    }
  });

  test("when they are of the caller's pool", async () => {
    const url = await newDatabase();
    const pool = createPool(url);
    onTestFinished(() => pool.end());
    const storage = mysql({ pool });
    onTestFinished(() => storage.close());
    await storage.setup();
    const outcomes = { ok: 0, unavailable: 0 };
    const stop = keepStarting(storage, outcomes);
    let ended = 0;
    while (ended < 20) ended += await killConnections(url);
    await stop();
    expect(await storage.createRuns([newRun("after")])).toMatchObject([{ status: "created" }]);
  });

  test("when the server is killed under load, and started again", { timeout: 60_000 }, async () => {
    const server = await startMariadb();
    onTestFinished(() => server.stop());
    const storage = mysql({ url: server.url, maxConnections: 4 });
    onTestFinished(() => storage.close());
    await storage.setup();
    const outcomes = { ok: 0, unavailable: 0 };
    const stop = keepStarting(storage, outcomes);
    await expect.poll(() => outcomes.ok, { interval: 5 }).toBeGreaterThan(20);
    await server.kill();
    await expect.poll(() => outcomes.unavailable, { interval: 5 }).toBeGreaterThan(20);
    await server.restart();
    const before = outcomes.ok;
    await expect.poll(() => outcomes.ok, { interval: 5, timeout: 20_000 }).toBeGreaterThan(before + 20);
    await stop();
    // Nothing that was acknowledged is gone (I4); what was not may be there.
    expect((await storage.stats()).runs.open).toBeGreaterThanOrEqual(outcomes.ok);
  });
});

test("a server that has no connection left says so", { timeout: 60_000 }, async () => {
  const server = await startMariadb({ settings: { max_connections: 10 } });
  onTestFinished(() => server.stop());
  const storages = Array.from({ length: 12 }, () => mysql({ url: server.url, maxConnections: 1 }));
  onTestFinished(async () => void (await Promise.all(storages.map((storage) => storage.close()))));
  const outcomes = await Promise.allSettled(storages.map((storage) => storage.setup()));
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as Error] : []));
  expect(refused).not.toEqual([]);
  for (const error of refused) expect(error).toMatchObject({ code: "unavailable", details: { errno: 1040 } });
});

test("a storage that nobody closed keeps no process alive (I28)", async () => {
  expect(await child(new URL("children/forget.ts", import.meta.url), [await newDatabase()])).toBe("subscribed");
});
