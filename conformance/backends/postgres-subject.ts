import type { StorageBackend } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { findPostgres, startPostgres } from "perdure-servers";
import pg from "pg";
import type { BackendUnderTest, OpenOptions, OwnServer } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";
import { addressOf, isAlive, noteOwnServer, ownUrl, storeName, urlAt } from "./process-store.ts";

/** All cases of a process share one schema. Child processes find it in their environment. */
const SCHEMA = storeName();

/** What belongs to a run, by its number. */
const OWNED = ["events", "tasks", "activities", "inbox", "attributes", "cache"];

let prepared: Promise<pg.Pool> | undefined;

/** The connections of the harness itself, once its schema is there, with a table of how far the clock of each case was moved. */
function harness(): Promise<pg.Pool> {
  prepared ??= findPostgres().then(({ url }) => prepare(url));
  return prepared;
}

async function prepare(url: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
  const { rows } = await pool.query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname like 'perdure\\_conformance\\_%'",
  );
  for (const { name } of rows.filter((one) => !isAlive(one.name))) {
    await pool.query(`drop schema if exists "${name}" cascade`);
  }
  await pool.query(`create schema if not exists "${SCHEMA}"`).catch(onlyIfThere);
  await pool
    .query(`create table if not exists "${SCHEMA}".clock_offsets (name text primary key, ms bigint not null)`)
    .catch(onlyIfThere);
  return pool;
}

/** Two processes may make the same at the same moment. */
function onlyIfThere(error: unknown): void {
  if (!["23505", "42P06", "42P07"].includes((error as { code: string }).code)) throw error;
}

/**
 * One schema for a process, in the PostgreSQL that tests use.
 * @param url where clients connect; the harness itself connects directly
 */
export function postgresSubject(
  name: string,
  module: string,
  url: string,
  pooler: "none" | "transaction",
): BackendUnderTest {
  return {
    ...subject,
    name,
    module: new URL(module),
    server: addressOf(url),
    open: (options) => open(url, pooler, options),
  };
}

async function open(
  url: string,
  pooler: "none" | "transaction",
  { namespace, server }: OpenOptions,
): Promise<StorageBackend> {
  const own = ownUrl(server);
  if (own === undefined) await harness();
  const offset = `(select ms from "${SCHEMA}".clock_offsets where name = '${caseOf(namespace)}')`;
  return postgres({
    url: own ?? (server === undefined ? url : urlAt(url, server)),
    pool: { max: 4 },
    pooler,
    schema: SCHEMA,
    namespace,
    clock: `floor(extract(epoch from clock_timestamp()) * 1000)::bigint + coalesce(${offset}, 0)`,
  });
}

/** A PostgreSQL of a case's own, which syncs what it writes. */
export async function startOwnServer(): Promise<OwnServer> {
  const server = await startPostgres();
  const pool = await prepare(server.url);
  await pool.end();
  noteOwnServer(server);
  return server;
}

const subject: Omit<BackendUnderTest, "name" | "open"> = {
  async version() {
    const { rows } = await (await harness()).query<{ server_version: string }>("show server_version");
    return `PostgreSQL ${rows[0]!.server_version.split(" ", 1)[0]}`;
  },
  async transaction(_namespace, _backend, run) {
    const client = await (await harness()).connect();
    try {
      await client.query("begin");
      const answer = await run(client);
      await client.query("commit");
      return answer;
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      client.release();
    }
  },
  async advance(namespace, ms) {
    const pool = await harness();
    await pool.query(
      `insert into "${SCHEMA}".clock_offsets (name, ms) values ($1, $2)
       on conflict (name) do update set ms = clock_offsets.ms + excluded.ms`,
      [caseOf(namespace), ms],
    );
  },
  async residue(namespace, runId) {
    const pool = await harness();
    const runs = `"${SCHEMA}".perdure_runs`;
    const ns = `(select no from "${SCHEMA}".perdure_namespaces where name = $1)`;
    const counts = OWNED.map(
      (table) =>
        `(select count(*) from "${SCHEMA}".perdure_${table} where run not in (select no from ${runs} where id <> $2 or ns <> ${ns}))`,
    );
    const { rows } = await pool.query<{ records: string }>(
      `select (select count(*) from ${runs} where ns = ${ns} and id = $2) + ${counts.join(" + ")} as records`,
      [namespace, runId],
    );
    return Number(rows[0]!.records);
  },
  async destroy(namespace) {
    const pool = await harness();
    const table = (name: string): string => `"${SCHEMA}".perdure_${name}`;
    const { rows } = await pool
      .query<{ no: string }>(`select no from ${table("namespaces")} where name = $1`, [namespace])
      .catch(() => ({ rows: [] }));
    for (const { no } of rows) {
      for (const owned of OWNED.filter((name) => name !== "cache")) {
        await pool.query(`delete from ${table(owned)} where run in (select no from ${table("runs")} where ns = $1)`, [
          no,
        ]);
      }
      for (const owned of ["cache", "runs", "lanes"]) {
        await pool.query(`delete from ${table(owned)} where ns = $1`, [no]);
      }
      await pool.query(`delete from ${table("namespaces")} where no = $1`, [no]);
    }
  },
  async end() {
    const pool = await prepared;
    prepared = undefined;
    await pool?.query(`drop schema if exists "${SCHEMA}" cascade`);
    await pool?.end();
  },
};
