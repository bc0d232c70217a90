import { redis, type RedisOptions } from "@perdure/storage-redis";
import { Cluster, Redis } from "ioredis";
import { describe, expect, test } from "vitest";

const client = new Redis({ lazyConnect: true });

describe("options that cannot be are refused at once (I29)", () => {
  test.each([
    [{ url: "postgres://db" }, "url must be"],
    [{ url: "" }, "url must be"],
    [{ url: 5 }, "url must be"],
    [{ url: "redis://app:p#ss@db:port" }, "url must be"],
    [{ nodes: [] }, "nodes must be"],
    [{ nodes: "redis://db" }, "nodes must be"],
    [{ nodes: ["db:6379"] }, "nodes must be"],
    [{ nodes: [{ host: "", port: 6379 }] }, "nodes must be"],
    [{ nodes: [{ host: "db", port: 0 }] }, "nodes must be"],
    [{ url: "redis://db", nodes: ["redis://db"] }, "url must be absent"],
    [{ client, url: "redis://db" }, "url must be absent"],
    [{ client, connection: {} }, "connection must be absent"],
    [{ client: {} }, "client must be a client"],
    [{ client: new Redis({ lazyConnect: true, keyPrefix: "a:" }) }, "client must be one without keyPrefix"],
    [{ connection: { keyPrefix: "a:" } }, "connection.keyPrefix must be absent"],
    [
      { client: new Cluster([], { lazyConnect: true, scaleReads: "slave" }) },
      "client must be one that reads from masters",
    ],
    [{ nodes: ["redis://db"], cluster: { scaleReads: "all" } }, "cluster.scaleReads must be master"],
    [{ prefix: "{a}:" }, "prefix must be"],
    [{ prefix: "a\0" }, "prefix must be"],
    [{ prefix: "a".repeat(256) }, "prefix must be"],
    [{ namespace: "" }, "namespace"],
    [{ shards: 0 }, "shards must be"],
    [{ shards: 1.5 }, "shards must be"],
    [{ shards: 257 }, "shards must be"],
    [{ requestTimeout: 0 }, "requestTimeout must be"],
    [{ requestTimeout: 2 ** 31 }, "requestTimeout must be"],
    [{ durability: "replicated" }, "durability must be"],
    [{ clock: 5 }, "clock must be"],
    [{ host: "db" }, 'no option "host"'],
  ] as const)("%o", (options, says) => {
    expect(() => redis(options as unknown as RedisOptions)).toThrow(says);
    expect(() => redis(options as unknown as RedisOptions)).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
  });

  test.each([[null], [5]])("%o in place of them", (options) => {
    expect(() => redis(options as unknown as string)).toThrow("redis: options must be");
  });

  test("without a word about the password", () => {
    expect(() => redis("redis://app:p#ss@db:port")).toThrow(expect.not.objectContaining({ message: /p#ss/u }));
  });
});

test("what can be is taken, and nothing connects before it is used", async () => {
  const storages = [
    redis(),
    redis("rediss://app:secret@db.invalid:6380/3"),
    redis({ connection: { sentinels: [{ host: "db.invalid", port: 26_379 }], name: "mymaster" } }),
    redis({ nodes: ["redis://db.invalid", { host: "db.invalid", port: 7_000 }], shards: 256, prefix: "" }),
    redis({ client }),
    redis({ client: new Cluster([{ host: "db.invalid", port: 7_000 }], { lazyConnect: true }) }),
  ];
  for (const storage of storages) {
    expect(storage.info.name).toBe("redis");
    await storage.close();
  }
  expect(client.status).toBe("wait");
});
