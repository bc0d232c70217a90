import { mysql } from "@perdure/storage-mysql";
import { createConnection } from "mysql2/promise";
import { startMariadb } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { child } from "../../storage-sql/test/child.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { nameOf, newDatabase, newUser, query } from "./scratch.ts";

const setUp = new URL("children/set-up.ts", import.meta.url);

/** What migrations take. */
const LOCK = "concat('perdure ', md5(database()))";

describe("setup", () => {
  test("ten processes at once make one store (I25)", { timeout: 60_000 }, async () => {
    const url = await newDatabase();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => child(setUp, [url])));
    expect(outcomes.map((outcome) => typeof outcome)).toEqual(Array.from({ length: 10 }, () => "number"));
    expect(await query(`select value from ${nameOf(url)}.perdure_meta`)).toMatchObject([{ value: Buffer.from("1") }]);
    expect(await query(`select count(*) as count from ${nameOf(url)}.perdure_namespaces`)).toEqual([{ count: 1 }]);
  });

  test("twice is once, and the first use does it", async () => {
    const url = await newDatabase();
    const storage = mysql(url);
    await Promise.all([storage.setup(), storage.setup()]);
    await storage.setup();
    expect(await storage.getRun("nobody")).toBeUndefined();
    await storage.close();
    const again = mysql(url);
    expect(await again.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await again.close();
  });

  test("a newer schema is refused, and left as it is (I25)", async () => {
    const url = await newDatabase();
    const storage = mysql(url);
    await storage.setup();
    await storage.close();
    await query(`update ${nameOf(url)}.perdure_meta set value = '2'`);
    for (const migrate of ["auto", "check"] as const) {
      const failure = await failureOf(mysql({ url, migrate }));
      expect(failure).toMatchObject({ code: "schema-version", details: { found: 2, expected: 1 } });
      expect(failure.message).toContain("Update");
    }
  });

  test("goes on where a process was killed in the middle of it: the server commits each change of the schema", async () => {
    const url = await newDatabase();
    const storage = mysql(url);
    await storage.setup();
    await storage.close();
    await query(`use ${nameOf(url)}; drop table perdure_pulse, perdure_cache, perdure_inbox; delete from perdure_meta`);
    const again = mysql(url);
    expect(await again.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await again.close();
  });

  test("waits for another process that migrates, and leaves no lock behind, also when it fails", async () => {
    const url = await newDatabase();
    const mayRead = mysql(await newUser(url, "select"));
    await expect(mayRead.setup()).rejects.toMatchObject({ code: "misconfigured", details: { errno: 1142 } });
    await query(`use ${nameOf(url)}`);
    expect(await query(`select get_lock(${LOCK}, 0) as locked`)).toEqual([{ locked: 1 }]);
    const storage = mysql(url);
    let isOver = false;
    const waiting = storage.setup().then(() => (isOver = true));
    await query("do sleep(0.1)");
    expect(isOver).toBe(false);
    await query(`do release_lock(${LOCK})`);
    await waiting;
    expect(await query(`select is_free_lock(${LOCK}) as free`)).toEqual([{ free: 1 }]);
    await storage.close();
    await mayRead.close();
  });

  test.each(["ÄÖÜ ß — €", "a`b'c\"d;e", "%s ? $1 --", "x".repeat(64)])("a database may be called %s", async (name) => {
    const storage = mysql(await newDatabase(name));
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await storage.close();
  });
});

test('migrate: "check" refuses what it would have to change, and changes nothing', async () => {
  const url = await newDatabase();
  expect(await failureOf(mysql({ url, migrate: "check" }))).toMatchObject({ code: "schema-version" });
  expect(await query(`show tables from ${nameOf(url)}`)).toEqual([]);
});

describe("a server that refuses says why, without the password (I29)", () => {
  test("who is not let in", async () => {
    const url = await newDatabase();
    const wrong = new URL(await newUser(url, "all"));
    wrong.password = "wr0ng";
    const failure = await failureOf(mysql(wrong.href));
    expect(failure).toMatchObject({ code: "misconfigured", details: { errno: 1045 } });
    expect(failure.message).toContain(wrong.username);
    expect(`${failure.message} ${String(failure.cause)}`).not.toContain("wr0ng");
  });

  test("a database that is not there", async () => {
    const url = new URL(await newDatabase());
    url.pathname = "perdure_test_nowhere";
    expect(await failureOf(mysql(url.href))).toMatchObject({ code: "misconfigured", details: { errno: 1049 } });
  });

  test("nobody at this address; later setup works", async () => {
    const server = await startMariadb();
    onTestFinished(() => server.stop());
    const storage = mysql(server.url);
    await server.kill();
    await expect(storage.setup()).rejects.toMatchObject({ code: "unavailable" });
    await server.restart();
    await storage.setup();
    await storage.close();
  });
});

describe("a server that cannot keep what a store promises is refused, with what to set", { timeout: 60_000 }, () => {
  test("packets, durability, binary log", async () => {
    const settings = { max_allowed_packet: 8 * 2 ** 20, innodb_flush_log_at_trx_commit: 2 };
    const server = await startMariadb({ settings: { ...settings, log_bin: "log", binlog_format: "STATEMENT" } });
    onTestFinished(() => server.stop());
    const { url } = server;
    const first = await failureOf(mysql(url));
    expect(first.message).toContain("takes packets of 8 MiB. Set max_allowed_packet to 16 MiB on the server");
    const second = await failureOf(mysql({ url, maxAllowedPacket: 8 * 2 ** 20 }));
    expect(second.message).toContain("innodb_flush_log_at_trx_commit");
    const third = await failureOf(mysql({ url, maxAllowedPacket: 8 * 2 ** 20, durability: "bounded-loss" }));
    expect(third.message).toContain("binlog_format");
    expect([first, second, third].map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => "misconfigured"));
  });

  test("a server that takes no writes", async () => {
    const server = await startMariadb();
    onTestFinished(() => server.stop());
    const administrator = await createConnection({ uri: server.url, multipleStatements: true });
    onTestFinished(() => administrator.end());
    await administrator.query("create user app@'%'; grant all on test.* to app@'%'");
    const url = new URL(server.url);
    url.username = "app";
    const storage = mysql(url.href);
    onTestFinished(() => storage.close());
    await storage.setup();
    await administrator.query("set global read_only = 1");
    await expect(storage.createRuns([newRun("run")])).rejects.toMatchObject({ code: "read-only" });
    expect(await storage.getRun("run")).toBeUndefined();
    await administrator.query("set global read_only = 0");
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
  });

  test("a table in another engine", async () => {
    const url = await newDatabase();
    const storage = mysql(url);
    await storage.setup();
    await storage.close();
    await query(`alter table ${nameOf(url)}.perdure_attributes engine = MyISAM`);
    const failure = await failureOf(mysql(url));
    expect(failure).toMatchObject({ code: "misconfigured" });
    expect(failure.message).toContain("perdure_attributes in MyISAM");
  });
});
