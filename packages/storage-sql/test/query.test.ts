import { compile, kyselyFor, type Query, type SqlDialect } from "@perdure/storage-sql";
import { SqliteAdapter, SqliteQueryCompiler } from "kysely";
import { describe, expect, test } from "vitest";
import { elements, query } from "../src/query.ts";

/** Only what writing SQL needs. */
const dialect = {
  kysely: {
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
} as unknown as SqlDialect;

function statement(of: unknown) {
  return compile(of as Query, kyselyFor(dialect), dialect);
}

describe("a query", () => {
  test("is compiled with a place for each argument, and bound with its values in the order of the text", () => {
    const update = query((db, args: { run: number; seq: number; at: number }) =>
      db
        .updateTable("perdure_tasks")
        .set({ visible_at: args.at })
        .where("run", "=", args.run)
        .where("seq", "=", args.seq),
    );
    const { sql, bind } = statement(update);
    expect(sql).toBe('update "perdure_tasks" set "visible_at" = ? where "run" = ? and "seq" = ?');
    expect(bind({ run: 7, seq: 0, at: 1000 })).toEqual([1000, 7, 0]);
    expect(bind({ seq: 2, at: 5, run: 8 })).toEqual([5, 8, 2]);
  });

  test("may have constants among its parameters, and lists of a known length", () => {
    const select = query((db, args: { names: readonly string[]; ns: number }) =>
      db
        .selectFrom("perdure_lanes")
        .select("no")
        .where("ns", "=", args.ns)
        .where("kind", "=", "workflow")
        .where("name", "in", elements(args.names, 2)),
    );
    const { sql, bind } = statement(select);
    expect(sql).toContain('"name" in (?, ?)');
    expect(bind({ ns: 1, names: ["a", "b"] })).toEqual([1, "workflow", "a", "b"]);
  });

  test("has an id of its own, by which drivers keep what they have prepared", () => {
    const [one, other] = [1, 2].map(() => query((db) => db.selectFrom("perdure_meta").select("value")));
    expect(one!.id).not.toBe(other!.id);
  });
});
