import { kyselyFor, type Query, referenced, type SqlDialect } from "@perdure/storage-sql";
import { sql, SqliteAdapter, SqliteQueryCompiler } from "kysely";
import { describe, expect, test } from "vitest";
import { elements, query } from "../src/query.ts";

/** Only what writing SQL needs. */
const dialect = {
  kysely: {
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
} as unknown as SqlDialect;

function written(of: unknown, args: object) {
  const { node, columns, conditions } = referenced(of as Query, kyselyFor(dialect), dialect);
  const { sql: text, parameters } = new SqliteQueryCompiler().compileQuery(node, { queryId: "1" });
  expect(parameters).toEqual([]);
  return { text, row: columns.map((column) => column(args)), conditions };
}

describe("a query whose arguments are columns of a table", () => {
  test("refers to each of them, however often, keeps its constants, and says which ones its condition names", () => {
    const update = query((db, args: { run: number; at: number }) =>
      db
        .updateTable("perdure_tasks")
        .set({ visible_at: args.at, deliveries: 0, last_seq: sql`last_seq + ${args.at}` })
        .where("run", "=", args.run)
        .where((eb) => eb.or([eb("seq", "=", 0), eb("visible_at", "<", args.at)])),
    );
    const { text, row, conditions } = written(update, { run: 7, at: 1000 });
    expect(text).toBe(
      'update "perdure_tasks" set "visible_at" = "args"."a1", "deliveries" = 0, "last_seq" = last_seq + "args"."a1" ' +
        'where "run" = "args"."a0" and ("seq" = 0 or "visible_at" < "args"."a1")',
    );
    expect(row).toEqual([7, 1000]);
    expect(conditions).toEqual([0, 1]);
  });

  test("refers to them in lists of values, too", () => {
    const insert = query((db, args: { name: string }) =>
      db.insertInto("perdure_namespaces").values({ name: args.name, discarded: 0, status: "open" } as never),
    );
    expect(written(insert, { name: "n" })).toMatchObject({
      text: `insert into "perdure_namespaces" ("name", "discarded", "status") values ("args"."a0", 0, 'open')`,
      row: ["n"],
      conditions: [],
    });
    const select = query((db, args: { names: readonly string[] }) =>
      db.selectFrom("perdure_lanes").select("no").where("name", "in", elements(args.names, 2)),
    );
    expect(written(select, { names: ["a", "b"] })).toMatchObject({
      text: 'select "no" from "perdure_lanes" where "name" in ("args"."a0", "args"."a1")',
      row: ["a", "b"],
    });
  });
});
