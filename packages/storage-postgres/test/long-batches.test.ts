import { query } from "@perdure/storage-sql";
import { expect, test } from "vitest";
import { Column, fitOne } from "../src/column.ts";
import { PostgresSql } from "../src/dialect.ts";
import { HintSql } from "../src/hints.ts";

const MIB = 2 ** 20;

const insert = query((db, args: { key: string; value: string }) =>
  db.insertInto("perdure_cache").values({ ns: 1, key: args.key, value: args.value, expires_at: null, run: null }),
);

function batch(count: number, value: string): object[] {
  return Array.from({ length: count }, (_, at) => ({ key: `${at}`, value }));
}

test("a batch of large payloads goes out as several statements: no text or message has room for all", () => {
  const sql = new PostgresSql("perdure", "0", new HintSql("perdure"));
  expect(sql.many(insert, batch(10_000, "x"))?.values).toContain(10_000);
  expect(sql.many(insert, batch(50, "x".repeat(16 * MIB)))).toBeUndefined();
});

test("what counts is all texts of a statement together", () => {
  const column = new Column(Array.from({ length: 4 }, () => "x".repeat(10 * MIB)));
  const separators = new Column(Array.from({ length: 3 }, () => "\u001e".repeat(10 * MIB)));
  expect(fitOne([column])).toBe(true);
  expect(fitOne([column, new Column([1, 2, 3])])).toBe(true);
  expect(fitOne([column, separators])).toBe(false);
});
