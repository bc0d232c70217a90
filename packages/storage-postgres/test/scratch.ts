import { randomBytes } from "node:crypto";
import { findPostgres } from "perdure-servers";
import pg from "pg";
import { afterAll } from "vitest";

/** The server that ordinary tests share. */
export const { url } = await findPostgres();

/** Connections of the tests themselves. */
const pool = new pg.Pool({ connectionString: url, max: 3, allowExitOnIdle: true });
const schemas: string[] = [];
const roles: string[] = [];

afterAll(async () => {
  for (const schema of schemas) {
    await pool.query(`drop schema if exists ${pg.escapeIdentifier(schema)} cascade`);
  }
  for (const role of roles) {
    await pool.query(`drop owned by ${role}; drop role ${role}`);
  }
  await pool.end();
});

/** A name for a schema of this test file, gone after it. */
export function newSchema(name = `perdure_test_${randomBytes(6).toString("hex")}`): string {
  schemas.push(name);
  return name;
}

/** Makes a user of this test file, with settings of its own; answers its URL. */
export async function newUser(settings: Readonly<Record<string, string>> = {}): Promise<string> {
  const role = `perdure_test_${randomBytes(6).toString("hex")}`;
  await query(`create role ${role} login`);
  roles.push(role);
  for (const [name, value] of Object.entries(settings)) {
    await query(`alter role ${role} set ${name} = '${value}'`);
  }
  const own = new URL(url);
  own.username = role;
  own.password = "";
  return own.href;
}

/** Lets a user make schemas. */
export async function letCreate(userUrl: string): Promise<void> {
  await query(`grant create on database ${new URL(url).pathname.slice(1)} to ${new URL(userUrl).username}`);
}

/** Executes a statement as the administrator. */
export async function query<R extends object>(text: string, values: unknown[] = []): Promise<readonly R[]> {
  return (await pool.query<R>(text, values)).rows;
}

/** Ends all connections of an application, as an administrator would; answers how many. */
export async function terminate(application: string): Promise<number> {
  const ended = await query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()",
    [application],
  );
  return ended.length;
}

/** Names that are easily written wrong in SQL. */
export function hostileNames(): readonly string[] {
  const mark = randomBytes(4).toString("hex");
  return [`Drop"; ${mark}`, `ÄÖÜ ß — 🎉 ${mark}`, mark.padEnd(63, "x"), `select.${mark}`, `%s $1 ? ${mark}`];
}

/** The names of the tables in a schema. */
export async function tablesIn(schema: string): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = $1 order by 1",
    [schema],
  );
  return rows.map(({ name }) => name);
}
