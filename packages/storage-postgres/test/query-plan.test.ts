import { postgres } from "@perdure/storage-postgres";
import type { ServerStatement } from "@perdure/storage-sql";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { useEveryVerb } from "../../storage-sql/test/every-verb.ts";
import { PostgresConnection } from "../src/connection.ts";
import { prepareSession } from "../src/session.ts";
import { addLanes, addRuns, analyze } from "./filled-store.ts";
import { Planner, type Scan } from "./planner.ts";
import { newSchema, query, url } from "./scratch.ts";

// The server has much to write, and others use it.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const clients: pg.Client[] = [];

async function newPlanner(prepare: (client: pg.Client) => Promise<unknown>): Promise<Planner> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  clients.push(client);
  await prepare(client);
  return new Planner(client);
}

afterAll(() => Promise.all(clients.map((client) => client.end())));

/** The store that statements are planned for. */
const schema = newSchema();
/** What changes runs and reads them. Pages and purges are planned whenever they are asked for, and have no name. */
let verbs: readonly ServerStatement[] = [];
/** What counts reads all that it counts. */
let counts: readonly ServerStatement[] = [];
let prepared: Planner;
let columnsOf: ReadonlyMap<string, readonly string[]> = new Map();

/** The statements of what is done in another store, as they would be in this one. */
async function recorded(own: string, use: () => Promise<unknown>): Promise<readonly ServerStatement[]> {
  const statements = new Map<string, ServerStatement>();
  const send = vi.spyOn(PostgresConnection.prototype, "send");
  await use();
  for (const statement of send.mock.calls.flatMap(([sent]) => sent)) {
    const sql = statement.sql.replaceAll(own, schema);
    if (/^\s*(?:select|with|insert|update|delete)\b.*"\.(?:")?perdure_/su.test(sql))
      statements.set(sql, { ...statement, sql });
  }
  send.mockRestore();
  return [...statements.values()];
}

beforeAll(async () => {
  const own = newSchema();
  const storage = postgres({ url, schema: own });
  await storage.setup();
  verbs = await recorded(own, () => useEveryVerb(storage));
  counts = await recorded(own, () => storage.stats());
  await storage.close();
  const planned = postgres({ url, schema });
  await planned.setup();
  await planned.close();
  prepared = await newPlanner(prepareSession);
  const indexes = await query<{ name: string; columns: string[] }>(
    `select c.relname as name, array(select pg_get_indexdef(c.oid, n, true) from generate_series(1, i.indnkeyatts) as n) as columns
     from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace`,
    [schema],
  );
  columnsOf = new Map(indexes.map(({ name, columns }) => [name, columns]));
});

interface Access extends Scan {
  readonly sql: string;
}

async function accesses(planner: Planner, statements: readonly ServerStatement[]): Promise<readonly Access[]> {
  const found: Access[] = [];
  for (const statement of statements) {
    for (const scan of await planner.scansOf(statement)) found.push({ sql: statement.sql, ...scan });
  }
  return found;
}

/** Not by an index. */
function isUnordered({ by }: Scan): boolean {
  return by !== "Index Scan" && by !== "Index Only Scan";
}

/** Reads a table that grows, and not by what an index begins with: from there on it walks along the index, as only pages may. */
function isWalk({ sql, table, by, index, condition = "" }: Access): boolean {
  if (!/^perdure_(?:runs|tasks|activities|inbox|events)$/u.test(table) || by === "Bitmap Heap Scan") return false;
  if (!/\b(?:run|no|lane|ns) = /u.test(condition)) return true;
  if (sql.includes('"created_at" desc')) return false;
  const isConditional = columnsOf.get(index!)!.map((column) => condition.includes(`(${column} `));
  return isConditional.lastIndexOf(true) >= isConditional.filter(Boolean).length;
}

/** Reads more than a claim or a page of a few. */
function isLong({ rows }: Scan): boolean {
  return rows > 250;
}

test("statements of every kind were looked at", () => {
  const texts = verbs.map(({ name, sql }) => `${name} ${sql}`).join("\n");
  for (const part of ["claim \nwith", "commit0 with", "commit4 with", "many1 ", "undefined select", "skip locked"]) {
    expect(texts).toContain(part);
  }
  expect(verbs.length).toBeGreaterThan(80);
  expect(counts.length).toBeGreaterThan(4);
});

test("in an empty store, and in one with one run, every statement is answered by an index", async () => {
  expect((await accesses(prepared, [...verbs, ...counts])).filter(isUnordered)).toEqual([]);
  await addLanes(schema);
  await addRuns(schema, 1, 1);
  const fresh = await newPlanner(prepareSession);
  for (const planner of [prepared, fresh]) {
    const all = await accesses(planner, verbs);
    expect(all.length).toBeGreaterThan(80);
    expect(all.filter((access) => isUnordered(access) || isWalk(access))).toEqual([]);
  }
});

describe("in a store with many runs", () => {
  beforeAll(() => addRuns(schema, 2));

  test("a statement that was planned when the store was empty reads what it answers", async () => {
    const all = await accesses(
      prepared,
      verbs.filter(({ name }) => name !== undefined),
    );
    expect(all.filter((access) => isUnordered(access) || isWalk(access) || isLong(access))).toEqual([]);
    expect((await accesses(prepared, counts)).filter(isUnordered)).toEqual([]);
  });

  describe("whose tables are analyzed", () => {
    beforeAll(() => analyze(schema));

    test("every statement reads what it answers, by an index", async () => {
      const planner = await newPlanner(prepareSession);
      const all = await accesses(planner, verbs);
      expect(all.filter((access) => isUnordered(access) || isWalk(access) || isLong(access))).toEqual([]);
      expect((await accesses(planner, counts)).filter(isUnordered)).toEqual([]);
    });

    test.each([
      ["for update skip locked", "perdure_tasks_lane"],
      ['"instance" = $1', "perdure_tasks_held"],
      ['"overdue_at" <=', "perdure_tasks_overdue"],
      ['"b"."blocked" is not null', "perdure_tasks_blocked"],
      ['"created_at", ', "perdure_runs_listed"],
      ["'failed', 'cancelled'", "perdure_runs_notable"],
      ['"parent_id" =', "perdure_runs_children"],
      ['"closed_at" <', "perdure_runs_closed"],
      ['"data" from ', "perdure_events_key"],
      ['"a"."value" =', "perdure_attributes_value"],
    ])("%s: %s", async (part, index) => {
      const planner = await newPlanner(prepareSession);
      const some = verbs.filter(({ sql }) => sql.includes(part));
      expect((await accesses(planner, some)).map((access) => access.index)).toContain(index);
    });

    test.each(["force_custom_plan", "force_generic_plan"])("so it is in a session of others: %s", async (mode) => {
      const planner = await newPlanner((client) => client.query(`set plan_cache_mode = ${mode}`));
      const all = await accesses(planner, verbs);
      const grown = all.filter(({ table }) => table !== "perdure_lanes");
      expect(grown.filter((access) => access.by === "Seq Scan" || isWalk(access) || isLong(access))).toEqual([]);
    });
  });
});
