import { migrationStatements, type SqlDialect } from "@perdure/storage-sql";
import { type ColumnDefinitionBuilder, SqliteAdapter, SqliteQueryCompiler } from "kysely";
import { expect, test } from "vitest";

/** Only what writing the schema needs. */
const dialect = {
  kysely: {
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
  schema: 'my "own"',
  types: { id: "text", key: "text", payload: "text", whole: "integer" },
  indexes: "partial",
  identity: (column: ColumnDefinitionBuilder) => column.primaryKey(),
  table: (table: unknown) => table,
} as unknown as SqlDialect;

test("migrations can be printed: statements without parameters that end by setting the version (I25)", () => {
  const statements = migrationStatements(dialect);
  expect(statements[0]).toBe(
    'create table if not exists "my ""own"""."perdure_meta" ("key" text not null primary key, "value" text not null)',
  );
  expect(statements.at(-1)).toMatch(/^insert into "my ""own"""\."perdure_meta" .* values \('schema', '\d+'\)$/u);
  expect(statements.filter((text) => text.includes("?"))).toEqual([]);
  const tables = statements.filter((text) => text.startsWith("create table if not exists"));
  expect(tables.length).toBeGreaterThan(10);
});

test("from a version on, only what that version lacks", () => {
  const current = Number(/'(\d+)'\)$/u.exec(migrationStatements(dialect).at(-1)!)![1]);
  expect(migrationStatements(dialect, current)).toEqual([]);
  for (const from of [current + 1, -1, 0.5]) {
    expect(() => migrationStatements(dialect, from)).toThrow(`There is no migration from schema version ${from}.`);
  }
});
