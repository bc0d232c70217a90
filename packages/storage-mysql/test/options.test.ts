import { mysql, type MysqlOptions } from "@perdure/storage-mysql";
import { createPool } from "mysql2/promise";
import { describe, expect, test } from "vitest";

const anywhere = "mysql://app@db.invalid/orders";

describe("options that cannot be are refused at once (I29)", () => {
  test.each([
    [{}, "database must be"],
    [{ host: "db" }, "database must be"],
    [{ url: "postgres://app@db/orders" }, "url must be"],
    [{ url: "mysql://app@db" }, "url must be"],
    [{ url: "" }, "url must be"],
    [{ url: 5 }, "url must be"],
    [{ url: "mysql://app:p#ss@db:port/orders" }, "url must be"],
    [{ url: anywhere, namespace: "" }, "namespace"],
    [{ url: anywhere, migrate: "never" }, "migrate must be"],
    [{ url: anywhere, maxConnections: 0 }, "maxConnections must be"],
    [{ url: anywhere, maxConnections: 1.5 }, "maxConnections must be"],
    [{ url: anywhere, requestTimeout: 0 }, "requestTimeout must be"],
    [{ url: anywhere, requestTimeout: "1s" }, "requestTimeout must be"],
    [{ url: anywhere, requestTimeout: 2 ** 31 }, "requestTimeout must be"],
    [{ url: anywhere, maxAllowedPacket: 1000 }, "maxAllowedPacket must be"],
    [{ url: anywhere, maxAllowedPacket: "16M" }, "maxAllowedPacket must be"],
    [{ url: anywhere, durability: "memory" }, "durability must be"],
    [{ url: anywhere, clock: "" }, "clock must be"],
    [{ url: anywhere, pool: createPool(anywhere) }, "url must be absent"],
    [{ database: "orders", pool: createPool(anywhere) }, "database must be absent"],
    [{ pool: {} }, "pool must be a pool of mysql2"],
    [{ url: anywhere, max: 3 }, 'no option "max"'],
  ] as const)("%o", (options, says) => {
    expect(() => mysql(options as MysqlOptions)).toThrow(says);
    expect(() => mysql(options as MysqlOptions)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test.each([[undefined], [null], [5]])("%o in place of them", (options) => {
    expect(() => mysql(options as unknown as string)).toThrow("mysql: options must be");
  });

  test("without a word about the password", () => {
    for (const url of ["mysql://app:s3cret#@db:x/orders", "http://app:s3cret@db/orders", "mysql://app:s3cret@db"]) {
      const refused = expect.objectContaining({ message: expect.not.stringContaining("s3cret") as string });
      expect(() => mysql(url)).toThrow(refused);
    }
  });
});

test("options that are undefined are left out; nothing connects before the first use", async () => {
  const storage = mysql({ url: anywhere, namespace: undefined, ssl: undefined } as unknown as MysqlOptions);
  expect(storage.info).toMatchObject({ name: "mysql", capabilities: { processes: "many", durability: "fsync" } });
  await storage.close();
  await expect(storage.setup()).rejects.toMatchObject({ code: "misconfigured" });
});

test("limits follow from the largest packet", () => {
  const limitsOf = (maxAllowedPacket: number) => mysql({ url: anywhere, maxAllowedPacket }).info.limits;
  expect(limitsOf(16 * 2 ** 20)).toMatchObject({ payloadBytes: 3 * 2 ** 20, commitBytes: 6 * 2 ** 20 });
  expect(limitsOf(64 * 2 ** 20)).toMatchObject({ payloadBytes: 12 * 2 ** 20, commitBytes: 24 * 2 ** 20 });
});
