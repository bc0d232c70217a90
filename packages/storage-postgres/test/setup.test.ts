import { StorageError } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { child } from "../../storage-sql/test/child.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { hostileNames, newSchema, query, tablesIn, url } from "./scratch.ts";

const setUp = new URL("children/set-up.ts", import.meta.url);

describe("setup", () => {
  test("ten processes at once make one store (I25)", { timeout: 60_000 }, async () => {
    const schema = newSchema();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => child(setUp, [url, schema])));
    expect(outcomes.map((outcome) => typeof outcome)).toEqual(Array.from({ length: 10 }, () => "number"));
    expect(await query(`select value from ${schema}.perdure_meta`)).toEqual([{ value: "1" }]);
    expect(await query(`select count(*)::int as count from ${schema}.perdure_namespaces`)).toEqual([{ count: 1 }]);
  });

  test("twice is once, and the first use does it", async () => {
    const schema = newSchema();
    const storage = postgres({ url, schema });
    await Promise.all([storage.setup(), storage.setup()]);
    await storage.setup();
    expect(await storage.getRun("nobody")).toBeUndefined();
    await storage.close();
    const again = postgres({ url, schema });
    expect(await again.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await again.close();
  });

  test("a newer schema is refused, and left as it is (I25)", async () => {
    const schema = newSchema();
    const storage = postgres({ url, schema });
    await storage.setup();
    await storage.close();
    await query(`update ${schema}.perdure_meta set value = '2' where key = 'schema'`);
    for (const migrate of ["auto", "check"] as const) {
      const failure = await failureOf(postgres({ url, schema, migrate }));
      expect(failure).toMatchObject({ code: "schema-version", details: { found: 2, expected: 1 } });
      expect(failure.message).toContain("Update");
    }
  });

  test("a migration that fails leaves nothing behind, and can be repeated", async () => {
    const schema = newSchema();
    // Of the same name as an index.
    await query(`create schema ${schema}; create table ${schema}.perdure_runs_closed (n int)`);
    const storage = postgres({ url, schema });
    await expect(storage.setup()).rejects.toBeInstanceOf(StorageError);
    expect(await tablesIn(schema)).toEqual(["perdure_runs_closed"]);
    await query(`drop table ${schema}.perdure_runs_closed`);
    await storage.setup();
    await storage.close();
  });

  test.each(hostileNames())("a schema may be called %s", async (name) => {
    const schema = newSchema(name);
    const storage = postgres({ url, schema });
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    const subscription = await storage.subscribe!(() => {});
    await subscription.close();
    await storage.close();
    expect((await tablesIn(name)).length).toBeGreaterThan(10);
    await query(`drop schema ${pg.escapeIdentifier(name)} cascade`);
  });
});

test('migrate: "check" refuses what it would have to change, and changes nothing', async () => {
  const schema = newSchema();
  expect(await failureOf(postgres({ url, schema, migrate: "check" }))).toMatchObject({ code: "schema-version" });
  expect(await query("select 1 from pg_namespace where nspname = $1", [schema])).toEqual([]);
  await query(`create schema ${schema}`);
  expect(await failureOf(postgres({ url, schema, migrate: "check" }))).toMatchObject({ code: "schema-version" });
  expect(await tablesIn(schema)).toEqual([]);
});
