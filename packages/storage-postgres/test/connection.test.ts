import type { ServerStatement } from "@perdure/storage-sql";
import type { ClientBase } from "pg";
import { expect, test } from "vitest";
import { PostgresConnection } from "../src/connection.ts";

/** A client that answers each statement with its text. */
function echo(): { readonly client: ClientBase; readonly texts: string[] } {
  const texts: string[] = [];
  const query = ({ text }: { text: string }, answer: (error: null, result: object) => void): void => {
    texts.push(text);
    queueMicrotask(() => answer(null, { rows: [{ text }], rowCount: 1 }));
  };
  return { client: { query } as unknown as ClientBase, texts };
}

const begin: ServerStatement = { sql: "begin", values: [] };
const named: ServerStatement = { sql: "named", values: [1], name: "1" };
const unnamed: ServerStatement = { sql: "unnamed", values: [1] };

test("a statement without a name is planned for its values, where named ones are planned once; answers stay in place", async () => {
  const { client, texts } = echo();
  const connection = new PostgresConnection(client, { pipelined: true, prefix: "p", plansOnce: true });
  const results = await connection.send([begin, named, unnamed, unnamed]);
  expect(texts).toEqual(["begin", "named", "set local plan_cache_mode = force_custom_plan", "unnamed", "unnamed"]);
  expect(results.map(({ rows }) => rows)).toEqual(["begin", "named", "unnamed", "unnamed"].map((text) => [{ text }]));
});

test("elsewhere nothing is set", async () => {
  for (const [plansOnce, statements] of [
    [false, [begin, unnamed]],
    [true, [begin, named]],
  ] as const) {
    const { client, texts } = echo();
    await new PostgresConnection(client, { pipelined: true, prefix: "p", plansOnce }).send(statements);
    expect(texts).toEqual(statements.map(({ sql }) => sql));
  }
});
