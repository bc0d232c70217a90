import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@perdure/storage-sqlite";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { scratchDirectory } from "./scratch.ts";
import { newRun } from "../../storage-sql/test/requests.ts";

const directory = scratchDirectory();
const setUp = new URL("children/set-up.ts", import.meta.url);

/** A store that works, closed. */
async function store(name: string): Promise<string> {
  const path = join(directory, name);
  const storage = sqlite(path);
  await storage.createRuns([newRun("run")]);
  await storage.close();
  return path;
}

describe("setup", () => {
  test("ten processes at once make one store (I25)", { timeout: 60_000 }, async () => {
    const path = join(directory, "race.db");
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => child(setUp, [path])));
    expect(outcomes.map((outcome) => typeof outcome)).toEqual(Array.from({ length: 10 }, () => "number"));
    const database = new Database(path);
    expect(database.prepare("select value from perdure_meta where key = 'schema'").all()).toEqual([{ value: "1" }]);
    expect(database.prepare("select count(*) as count from perdure_namespaces").get()).toEqual({ count: 1 });
    database.close();
  });

  test("twice is once, and the first use does it", async () => {
    const storage = sqlite(join(directory, "twice.db"));
    await Promise.all([storage.setup(), storage.setup()]);
    await storage.setup();
    expect(await storage.getRun("nobody")).toBeUndefined();
    await storage.close();
    const again = sqlite(join(directory, "twice.db"));
    expect(await again.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await again.close();
  });

  test("a newer schema is refused (I25)", async () => {
    const path = await store("newer.db");
    const database = new Database(path);
    database.exec("update perdure_meta set value = '2' where key = 'schema'");
    database.close();
    const failure = await failureOf(sqlite(path));
    expect(failure).toMatchObject({ code: "schema-version", details: { found: 2, expected: 1 } });
    expect(failure.message).toContain("Update");
  });

  test('migrate: "check" refuses what it would have to change, and changes nothing', async () => {
    const missing = join(directory, "missing.db");
    expect(await failureOf(sqlite({ path: missing, migrate: "check" }))).toMatchObject({ code: "misconfigured" });
    expect(existsSync(missing)).toBe(false);
    const empty = join(directory, "empty.db");
    writeFileSync(empty, "");
    expect(await failureOf(sqlite({ path: empty, migrate: "check" }))).toMatchObject({ code: "schema-version" });
    const current = sqlite({ path: await store("current.db"), migrate: "check" });
    expect(await current.getRun("run")).toMatchObject({ status: "open" });
    await current.close();
  });
});

describe("what cannot be opened is a typed error that says what to do (I29)", () => {
  test("a file that is not a database", async () => {
    const path = join(directory, "letter.txt");
    writeFileSync(path, "Dear diary, this is no database, and it is long enough to be sure of that.".repeat(20));
    expect(await failureOf(sqlite(path))).toMatchObject({ code: "corrupt", details: { path } });
  });

  test("a damaged file", async () => {
    const path = await store("damaged.db");
    writeFileSync(path, Buffer.alloc(8000, 7), { flag: "r+" });
    expect(await failureOf(sqlite(path))).toMatchObject({ code: "corrupt" });
  });

  test("a directory that does not exist, and a path that is one", async () => {
    const nowhere = await failureOf(sqlite(join(directory, "nowhere", "perdure.db")));
    expect(nowhere).toMatchObject({ code: "misconfigured" });
    expect(nowhere.message).toContain(`${join(directory, "nowhere")} does not exist. Create it`);
    expect(await failureOf(sqlite(directory))).toMatchObject({ code: "misconfigured" });
  });

  test("a file or a directory that may not be written", { timeout: 60_000 }, async () => {
    // Who may write everything sees no such error: somebody else has to try.
    const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const place = mkdtempSync(join(tmpdir(), "perdure-read-only-"));
    try {
      chmodSync(place, 0o777);
      const storage = sqlite(join(place, "perdure.db"));
      await storage.setup();
      await storage.close();
      chmodSync(join(place, "perdure.db"), 0o444);
      expect(await child(setUp, [join(place, "perdure.db")], uid)).toMatch(/^read-only: /u);
      chmodSync(join(place, "perdure.db"), 0o666);
      chmodSync(place, 0o555);
      expect(await child(setUp, [join(place, "perdure.db")], uid)).toMatch(/^read-only: /u);
    } finally {
      chmodSync(place, 0o777);
      rmSync(place, { recursive: true });
    }
  });

  test("options that cannot be", () => {
    expect(() => sqlite("")).toThrow("path must be");
    expect(() => sqlite({ path: "x.db", namespace: "" })).toThrow("namespace");
    expect(() => sqlite({ path: "x.db", synchronous: "off" as "full" })).toThrow("synchronous must be");
    expect(() => sqlite({ path: "x.db", sync: "normal" } as { path: string })).toThrow('has no option "sync"');
    expect(() => sqlite(undefined as unknown as string)).toThrow("path must be");
    expect(() => sqlite({ path: ":memory:", synchronous: undefined } as unknown as { path: string })).not.toThrow();
    expect(() => sqlite({ path: "x.db", busyTimeout: -1 })).toThrow("busyTimeout must be");
  });

  test("a failed setup can be repeated when its cause is gone", async () => {
    const storage = sqlite(join(directory, "later", "perdure.db"));
    await expect(storage.setup()).rejects.toMatchObject({ code: "misconfigured" });
    mkdirSync(join(directory, "later"));
    await storage.setup();
    await storage.close();
  });
});

describe("close", () => {
  test("every later verb says that the storage was closed; closing again is fine", async () => {
    const storage = sqlite(await store("closed.db"));
    await storage.setup();
    await storage.close();
    await storage.close();
    await expect(storage.getRun("run")).rejects.toMatchObject({ code: "misconfigured" });
    await expect(storage.setup()).rejects.toMatchObject({ code: "misconfigured" });
    await expect(storage.createRuns([newRun("r")])).rejects.toMatchObject({ code: "misconfigured" });
  });

  test("a storage in memory ends with its object", async () => {
    const storage = sqlite(":memory:");
    expect(storage.info.capabilities).toMatchObject({ processes: "one", durability: "memory", wakeups: "in-process" });
    await storage.createRuns([newRun("run")]);
    expect(await storage.getRun("run")).toMatchObject({ status: "open" });
    await storage.close();
  });
});
