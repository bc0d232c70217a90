import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isPerdureError, type StorageBackend } from "@perdure/core/storage";
import type { TestServer } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { closedAfterTest } from "./closed-after-test.ts";
import { newRun } from "./requests.ts";

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

/** A store whose connections somebody ends. */
interface LosingStore {
  /** Opens it, with at most four connections. */
  open(): StorageBackend;
  /** Opens it with a pool of the caller's, which is closed after the test. */
  openInPool(): StorageBackend;
  /** Ends all connections to it, as an administrator would; answers how many. */
  endConnections(): Promise<number>;
}

export interface LosingStores {
  newStore(): Promise<LosingStore>;
  /** Starts a server of a test's own. */
  start(): Promise<TestServer>;
  /** Opens a store on it. */
  open(url: string): StorageBackend;
}

/** What holds of every storage on a server. */
export function describeLostConnections({ newStore, start, open }: LosingStores): void {
  describe("lost connections end calls, never the process (I29)", () => {
    test("when an administrator ends them again and again", { timeout: 60_000 }, async () => {
      const store = await newStore();
      const storage = closedAfterTest(store.open());
      await storage.setup();
      const subscription = await storage.subscribe!(() => {});
      const outcomes = { ok: 0, unavailable: 0 };
      const stop = keepStarting(storage, outcomes);
      let ended = 0;
      while (ended < 60) ended += await store.endConnections();
      await stop();
      expect(outcomes.unavailable).toBeGreaterThan(0);
      expect(await storage.createRuns([newRun("after")])).toMatchObject([{ status: "created" }]);
      await subscription.close();
    });

    test("when they lie idle", async () => {
      const store = await newStore();
      const storage = closedAfterTest(store.open());
      for (let round = 0; round < 3; round++) {
        await Promise.all(["a", "b", "c"].map((id) => storage.createRuns([newRun(`${id}-${round}`)])));
        expect(await store.endConnections()).toBeGreaterThan(0);
        // The news takes a moment.
        await sleep(20);
        expect(await storage.createRuns([newRun(`run-${round}`)])).toMatchObject([{ status: "created" }]);
      }
    });

    test("when they are of the caller's pool", { timeout: 60_000 }, async () => {
      const store = await newStore();
      const storage = closedAfterTest(store.openInPool());
      await storage.setup();
      const outcomes = { ok: 0, unavailable: 0 };
      const stop = keepStarting(storage, outcomes);
      let ended = 0;
      while (ended < 20) ended += await store.endConnections();
      await stop();
      expect(await storage.createRuns([newRun("after")])).toMatchObject([{ status: "created" }]);
    });

    test("when the server is killed under load, and started again", { timeout: 60_000 }, async () => {
      const server = await start();
      onTestFinished(() => server.stop());
      const storage = closedAfterTest(open(server.url));
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
}
