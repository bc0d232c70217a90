import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redis, type RedisOptions } from "@perdure/storage-redis";
import { type ClusterOptions, Redis } from "ioredis";
import { freePort, startRedis, startRedisCluster, type TestServer } from "perdure-servers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { settingsOf } from "../src/options.ts";
import { finishRuns } from "./load-everything.ts";

let folder: string;
let ca: Buffer;
let server: TestServer;
let url: string;

/** Puts the certificate, which has signed itself for 127.0.0.1, where a server with an account of its own can read it. */
function copyCertificate(): void {
  folder = mkdtempSync(join(tmpdir(), "perdure-tls-"));
  cpSync(new URL("certificate", import.meta.url), folder, { recursive: true });
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "key.pem"), 0o644);
  ca = readFileSync(join(folder, "cert.pem"));
}

function encrypting(port: number): Record<string, string | number> {
  return {
    "tls-port": port,
    "tls-cert-file": join(folder, "cert.pem"),
    "tls-key-file": join(folder, "key.pem"),
    "tls-ca-cert-file": join(folder, "cert.pem"),
    "tls-auth-clients": "no",
  };
}

beforeAll(async () => {
  copyCertificate();
  const port = await freePort();
  server = await startRedis({ settings: encrypting(port), password: "pass{word" });
  url = `rediss://:${encodeURIComponent("pass{word")}@127.0.0.1:${port}`;
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function open(options: RedisOptions) {
  const storage = redis(options);
  onTestFinished(() => storage.close());
  return storage;
}

describe("rediss://", () => {
  test("works, hints and all, with the certificate of who has signed", async () => {
    const storage = open({ url, connection: { tls: { ca } } });
    expect(await finishRuns(storage, ["one"])).toEqual(["0 done"]);
    const admin = new Redis(server.url);
    const clients = (await admin.client("LIST")) as string;
    admin.disconnect();
    expect(clients).toContain("sub=1");
  });

  test("says what is wrong with a certificate that nobody trusts, and which option tells whom to trust (I29)", async () => {
    const refused = open({ url }).setup();
    await expect(refused).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringMatching(/self-signed certificate.*connection\.tls/u),
    });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining("pass{word") });
  });

  test("says that the certificate is another host's", async () => {
    const { port } = new URL(url);
    const connection = { tls: { ca, servername: "db.example" }, password: "pass{word" };
    await expect(open({ url: `rediss://localhost:${port}`, connection }).setup()).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("connection.tls"),
    });
  });
});

test("of a Cluster, every node is spoken to as the first URL says: with user, password and encryption", () => {
  const nodes = ["rediss://app:p%40ss@10.0.0.1:7000", { host: "10.0.0.2", port: 7000 }];
  const connected = (options: RedisOptions) => {
    const { server } = settingsOf(options);
    const client = "connect" in server ? server.connect() : undefined;
    client?.disconnect();
    return client?.options as ClusterOptions | undefined;
  };
  expect(connected({ nodes })?.redisOptions).toMatchObject({ username: "app", password: "p@ss", tls: {} });
  const more = { nodes, connection: { password: "other", tls: { ca } } };
  expect(connected(more)?.redisOptions).toMatchObject({ username: "app", password: "other", tls: { ca } });
  expect(connected({ nodes: ["redis://10.0.0.1:7000"] })?.redisOptions).not.toHaveProperty("tls");
});

test("a Cluster that asks for a password is told it by all connections", { timeout: 60_000 }, async () => {
  const cluster = await startRedisCluster({ password: "p@ss" });
  onTestFinished(() => cluster.stop());
  expect(await finishRuns(open({ nodes: [cluster.url] }), ["one", "two", "three"])).toHaveLength(3);
});
