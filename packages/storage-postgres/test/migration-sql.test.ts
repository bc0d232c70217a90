import { migrationSql, postgres } from "@perdure/storage-postgres";
import { describe, expect, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { failureOf } from "../../storage-sql/test/failure-of.ts";
import { hostileNames, letCreate, newSchema, newUser, query, url } from "./scratch.ts";

/** Everything about a schema that two ways to make it could differ in. */
function shapeOf(schema: string): Promise<readonly object[]> {
  return query(
    `select table_name, column_name, data_type, collation_name, is_nullable, is_identity, generation_expression
       from information_schema.columns where table_schema = $1
     union all select tablename, indexname, replace(indexdef, quote_ident($1), ''), '', '', '', ''
       from pg_indexes where schemaname = $1 order by 1, 2`,
    [schema],
  );
}

describe("migrationSql", () => {
  test("makes the schema that setup makes", async () => {
    const [printed, made] = [newSchema(), newSchema()];
    await query(migrationSql({ schema: printed }));
    const storage = postgres({ url, schema: made });
    await storage.setup();
    await storage.close();
    const shape = await shapeOf(printed);
    expect(shape.length).toBeGreaterThan(80);
    expect(await shapeOf(made)).toEqual(shape);
  });

  test.each(hostileNames())('prints what migrate: "check" accepts, for a schema called %s', async (name) => {
    const schema = newSchema(name);
    await query(migrationSql({ schema }));
    const storage = postgres({ url, schema, migrate: "check" });
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await storage.close();
  });

  test("is nothing for a schema that is current, and refuses versions that it does not know", () => {
    expect(migrationSql({ from: 1 })).toBe("");
    expect(() => migrationSql({ from: 2 })).toThrow("no migration from schema version 2");
    expect(() => migrationSql({ schema: "" })).toThrow("schema must be");
  });

  test("and a few rights are all that a user needs who may not change schemas", async () => {
    const schema = newSchema();
    const own = await newUser();
    const user = new URL(own).username;
    const refused = await failureOf(postgres({ url: own, schema }));
    expect(refused).toMatchObject({ code: "misconfigured", details: { code: "42501" } });
    expect(refused.message).toContain("permission denied for database");
    expect(refused.message).toContain("migrationSql()");

    await query(migrationSql({ schema }));
    expect(await failureOf(postgres({ url: own, schema }))).toMatchObject({ details: { code: "42501" } });
    await query(`grant usage on schema ${schema} to ${user}`);
    await query(`grant select, insert, update, delete on all tables in schema ${schema} to ${user}`);
    const storage = postgres({ url: own, schema });
    expect(await storage.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    await storage.close();
  });

  test("a schema of somebody else's, in which this user may not create: the message names it", async () => {
    const schema = newSchema();
    await query(`create schema ${schema}`);
    const own = await newUser();
    await letCreate(own);
    await query(`grant usage on schema ${schema} to ${new URL(own).username}`);
    const refused = await failureOf(postgres({ url: own, schema }));
    expect(refused).toMatchObject({ code: "misconfigured", details: { code: "42501" } });
    expect(refused.message).toContain(`permission denied for schema ${schema}`);
  });
});
