import fc from "fast-check";
import { createConnection } from "mysql2/promise";
import { findMysql } from "perdure-servers";
import { afterAll, expect, test } from "vitest";
import { MysqlConnection } from "../src/connection.ts";
import { literal } from "../src/literal.ts";
import { SESSION } from "../src/session.ts";

const { url } = await findMysql();
const client = await createConnection({ uri: url, multipleStatements: true, charset: "utf8mb4_bin" });
const connection = new MysqlConnection((client as unknown as { connection: never }).connection, {
  maxBytes: 2 ** 24,
  requestTimeout: 10_000,
});
await connection.send(SESSION.map((sql) => ({ sql, values: [] })));

afterAll(() => client.end());

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("'", '"', "\\", "\0", "\n", "\x1a", "%", "?", ";", "--", "`", "é", "🎉", "a") }),
);

test("a text is the same after the way to the server and back, whatever is in it", async () => {
  const asked = fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
    const sql = `select ${texts.map((one, at) => `${literal(one)} as c${at}`).join(", ")}`;
    const [result] = await connection.send([{ sql, values: [] }]);
    expect(Object.values(result!.rows[0]!)).toEqual(texts);
  });
  await fc.assert(asked, { numRuns: 100 });
});

test("values stand where their places are, also in one text with others", async () => {
  const sql = "select ? as a, ? as b, ? as c";
  const statements = [
    { sql, values: ["?; select 'x", null, 2 ** 53 - 1], name: "1" },
    { sql, values: [-1, "b", 1.5], name: "1" },
    { sql: "select '?' as a", values: [] },
  ];
  const results = await connection.send(statements);
  expect(results.map(({ rows }) => rows[0])).toEqual([
    { a: "?; select 'x", b: null, c: 2 ** 53 - 1 },
    { a: -1, b: "b", c: 1.5 },
    { a: "?" },
  ]);
});

test("nothing but texts and numbers stands in SQL", () => {
  for (const other of [true, new Date(), {}, Number.NaN, Infinity, Symbol("x")])
    expect(() => literal(other)).toThrow("cannot stand in SQL");
});
