import { postgres, type PostgresOptions } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, test } from "vitest";

const anywhere = "postgres://app@db.invalid/orders";

describe("options that cannot be are refused at once (I29)", () => {
  test.each([
    [{ url: "mysql://app@db/orders" }, "url must be"],
    [{ url: "" }, "url must be"],
    [{ url: 5 }, "url must be"],
    [{ url: "postgres://app:p#ss@db:port/orders" }, "url must be an URL"],
    [{ url: anywhere, schema: "" }, "schema must be"],
    [{ url: anywhere, schema: "é".repeat(32) }, "schema must be"],
    [{ url: anywhere, schema: "a\0b" }, "schema must be"],
    [{ url: anywhere, namespace: "" }, "namespace"],
    [{ url: anywhere, migrate: "never" }, "migrate must be"],
    [{ url: anywhere, pooler: "session" }, "pooler must be"],
    [{ url: anywhere, requestTimeout: 0 }, "requestTimeout must be"],
    [{ url: anywhere, requestTimeout: "1s" }, "requestTimeout must be"],
    [{ url: anywhere, requestTimeout: 2 ** 31 }, "requestTimeout must be"],
    [{ url: anywhere, clock: "" }, "clock must be"],
    [{ url: anywhere, pool: "10" }, "pool must be"],
    [{ url: anywhere, pool: { password: "x" } }, "pool.password must be absent"],
    [{ url: anywhere, pool: new pg.Pool() }, "url must be absent"],
    [{ pool: { port: 99_999 } }, "port must be"],
    [{ url: `${anywhere}?sslrootcert=/nowhere/ca.pem` }, "ENOENT"],
    [{ url: anywhere, max: 3 }, 'no option "max"'],
  ] as const)("%o", (options, says) => {
    expect(() => postgres(options as PostgresOptions)).toThrow(says);
    expect(() => postgres(options as PostgresOptions)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test("without a word about the password", () => {
    for (const url of ["postgres://app:s3cret#@db:x/orders", "http://app:s3cret@db/orders"]) {
      const refused = expect.objectContaining({ message: expect.not.stringContaining("s3cret") as string });
      expect(() => postgres(url)).toThrow(refused);
    }
  });
});

test("options that are undefined are left out; nothing connects before the first use", async () => {
  const storage = postgres({ url: anywhere, schema: undefined, pool: undefined } as unknown as PostgresOptions);
  expect(storage.info).toMatchObject({ name: "postgres", capabilities: { processes: "many", wakeups: "push" } });
  await storage.close();
  await expect(storage.setup()).rejects.toMatchObject({ code: "misconfigured" });
});
