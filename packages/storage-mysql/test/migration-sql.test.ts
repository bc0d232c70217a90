import { migrationSql, mysql } from "@perdure/storage-mysql";
import { describe, expect, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { nameOf, newDatabase, newUser, query } from "./scratch.ts";

/** Everything about a schema that two ways to make it could differ in. */
async function shapeOf(url: string): Promise<readonly object[]> {
  const schema = decodeURIComponent(new URL(url).pathname.slice(1));
  return query(
    `select table_name, column_name, column_type, collation_name, is_nullable, extra, generation_expression
       from information_schema.columns where table_schema = ?
     union all select table_name, index_name, seq_in_index, column_name, sub_part, non_unique, ''
       from information_schema.statistics where table_schema = ?
     union all select table_name, engine, row_format, table_collation, '', '', ''
       from information_schema.tables where table_schema = ? order by 1, 2, 3, 4`,
    [schema, schema, schema],
  );
}

/** Executes a script in a database. */
async function run(url: string, script: string): Promise<void> {
  await query(`use ${nameOf(url)}; ${script}`);
}

describe("migrationSql", () => {
  test("makes the schema that setup makes, also when it was interrupted and is run again", async () => {
    const [printed, made] = [await newDatabase(), await newDatabase()];
    const script = migrationSql();
    await run(printed, script.slice(0, script.indexOf("create table if not exists `perdure_inbox`")));
    await run(printed, script);
    const storage = mysql(made);
    await storage.setup();
    await storage.close();
    const shape = await shapeOf(printed);
    expect(shape.length).toBeGreaterThan(120);
    expect(await shapeOf(made)).toEqual(shape);
  });

  test("is nothing for a schema that is current, and refuses versions that it does not know", () => {
    expect(migrationSql({ from: 1 })).toBe("");
    expect(() => migrationSql({ from: 2 })).toThrow("no migration from schema version 2");
  });

  test("and a few rights are all that a user needs who may not change schemas", async () => {
    const url = await newDatabase();
    const own = await newUser(url, "select, insert, update, delete");
    const refused = await failureOf(mysql(own));
    expect(refused).toMatchObject({ code: "misconfigured", details: { errno: 1142 } });
    expect(refused.message).toContain("CREATE command denied to user");
    expect(refused.message).toContain("migrationSql()");

    await run(url, migrationSql());
    const storage = mysql({ url: own, migrate: "check" });
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await storage.close();
  });
});
