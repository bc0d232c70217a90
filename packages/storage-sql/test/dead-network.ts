import { TcpProxy } from "@perdure/conformance";
import type { StorageBackend } from "@perdure/core/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { closedAfterTest } from "./closed-after-test.ts";
import { newRun } from "./requests.ts";

/** Long enough for what a busy machine does in between. */
const REQUEST_TIMEOUT = 500;

/** A network that may die. */
export interface Network {
  readonly proxy: TcpProxy;
  /** The URL of a server by way of it. */
  readonly through: string;
}

/** A network between a test and a server. */
export async function networkTo(url: string, usualPort: number): Promise<Network> {
  const { hostname: host, port } = new URL(url);
  const proxy = await TcpProxy.start({ host, port: Number(port || usualPort) });
  onTestFinished(() => proxy.close());
  const through = new URL(url);
  through.host = `${proxy.host}:${proxy.port}`;
  return { proxy, through: through.href };
}

/** A store behind such a network. */
export interface FarStore {
  readonly proxy: TcpProxy;
  /** Opens it, with one connection, on which others wait no longer than for an answer. */
  open(requestTimeout: number): StorageBackend;
  /** Opens it with a pool of the caller's that has one connection, and is closed after the test. */
  openInPool(requestTimeout: number): StorageBackend;
}

export function describeDeadNetwork(newStore: () => Promise<FarStore>): void {
  describe("a server that does not answer any more, and does not say so", () => {
    test("ends a call after the requestTimeout; the connection is not used again (I29)", async () => {
      const { proxy, open } = await newStore();
      const storage = closedAfterTest(open(REQUEST_TIMEOUT));
      await storage.setup();
      proxy.blackhole(true);
      const startedAt = performance.now();
      const refused = storage.createRuns([newRun("run")]);
      await expect(refused).rejects.toMatchObject({ code: "unavailable", retryable: true });
      await expect(refused).rejects.toThrow("requestTimeout");
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      proxy.blackhole(false);
      expect(await storage.createRuns([newRun("again")])).toMatchObject([{ status: "created" }]);
    });

    test("does not let those wait for ever who wait for a connection", async () => {
      const { proxy, open } = await newStore();
      const storage = closedAfterTest(open(REQUEST_TIMEOUT));
      await storage.setup();
      proxy.blackhole(true);
      const calls = Array.from({ length: 5 }, (_, at) => storage.createRuns([newRun(`run-${at}`)]));
      const outcomes = await Promise.allSettled(calls);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
      proxy.blackhole(false);
      expect(await storage.createRuns([newRun("again")])).toMatchObject([{ status: "created" }]);
    });

    test("ends a call on a connection of the caller's pool, too", async () => {
      const { proxy, openInPool } = await newStore();
      const storage = closedAfterTest(openInPool(REQUEST_TIMEOUT));
      await storage.setup();
      proxy.blackhole(true);
      await expect(storage.stats()).rejects.toThrow("requestTimeout");
      proxy.blackhole(false);
      expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    });

    test("keeps nobody who closes waiting for longer than the requestTimeout", async () => {
      const { proxy, open } = await newStore();
      const storage = open(1_000);
      await storage.setup();
      proxy.blackhole(true);
      const call = storage.stats().catch((error: unknown) => error);
      const startedAt = performance.now();
      await storage.close();
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      expect(await call).toMatchObject({ code: "unavailable" });
    });
  });
}
