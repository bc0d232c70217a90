import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createWorker, workflow } from "@perdure/core";
import { postgres } from "@perdure/storage-postgres";
import { describe, expect, onTestFinished, test } from "vitest";
import { failureOf } from "../../storage-sql/test/failure-of.ts";

/** Something that listens like a server, and treats connections as a test wants. */
async function listening(treat: (socket: Socket) => void): Promise<string> {
  const server = createServer(treat).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `postgres://app:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/orders`;
}

describe("somebody who listens and is no server", () => {
  test("but says nothing, is unavailable after the time-out of the connection", async () => {
    const sockets: Socket[] = [];
    const silent = await listening((socket) => sockets.push(socket));
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
    const storage = postgres({ url: silent, pool: { connectionTimeoutMillis: 100 } });
    const startedAt = performance.now();
    const failure = await failureOf(storage);
    expect(failure).toMatchObject({ code: "unavailable" });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(failure.message).not.toContain("s3cret");
  });

  test("but something else, is unavailable", async () => {
    const other = await listening((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    expect(await failureOf(postgres(other))).toMatchObject({ code: "unavailable" });
  });

  test("but hangs up, is tried again by a worker a few times a second, not more", async () => {
    let connections = 0;
    const rude = await listening((socket) => {
      connections += 1;
      socket.on("error", () => {});
      socket.destroy();
    });
    const storage = postgres(rude);
    const logs: string[] = [];
    const log = (message: string): unknown => logs.push(message);
    const logger = { debug: log, info: log, warn: log, error: log };
    const worker = createWorker({ storage, workflows: [workflow({ name: "any" }, async () => {})], logger });
    const working = worker.run();
    await expect.poll(() => connections, { interval: 10, timeout: 5_000 }).toBe(4);
    const startedAt = performance.now();
    await expect.poll(() => connections, { interval: 10, timeout: 5_000 }).toBe(6);
    expect(performance.now() - startedAt).toBeGreaterThan(500);
    await worker.stop();
    await working;
    await storage.close();
    expect(logs.filter((line) => line.includes("unavailable"))).toHaveLength(1);
  });
});
