import { Client } from "pg";
import { readProcess } from "./processes.ts";
import type { Server } from "./server.ts";

const VARIABLE = "PERDURE_POSTGRES_URL";

const SETTINGS = [
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_sync_method",
  "commit_delay",
  "shared_buffers",
  "max_wal_size",
  "autovacuum",
] as const;

/** Finds or starts a server for this process, and for those that it starts: secrets do not stand on their command lines. */
export async function usePostgres(): Promise<void> {
  // Not loaded where the server is known already.
  const { findPostgres } = await import("perdure-servers");
  process.env[VARIABLE] = (await findPostgres()).url;
}

/** The server that {@link usePostgres} found. */
export function postgresUrl(): string {
  return process.env[VARIABLE]!;
}

/** Runs a statement on a connection of its own. */
export function postgresQuery<Row extends object>(sql: string): Promise<readonly Row[]> {
  return connected(async (client) => (await client.query<Row>(sql)).rows);
}

export function describePostgres(): Promise<Server> {
  return connected(async (client) => {
    const { rows: versions } = await client.query<{ version: string; pid: number }>(
      "select split_part(current_setting('server_version'), ' ', 1) as version, pg_backend_pid() as pid",
    );
    const { rows: settings } = await client.query<{ name: string; value: string }>(
      "select name, current_setting(name) as value from pg_settings where name = any ($1)",
      [SETTINGS],
    );
    const values = new Map(settings.map(({ name, value }) => [name, value]));
    const { version, pid } = versions[0]!;
    return {
      product: `PostgreSQL ${version}`,
      settings: Object.fromEntries(SETTINGS.map((name) => [name, values.get(name) ?? "unknown"])),
      pid: postmasterOf(pid),
    };
  });
}

/** The parent of a connection's process. A server elsewhere has no such processes here. */
function postmasterOf(pid: number): number | null {
  const connection = readProcess(pid);
  if (connection === undefined || !connection.name.startsWith("postgres")) return null;
  return readProcess(connection.parent)?.name.startsWith("postgres") ? connection.parent : null;
}

async function connected<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(postgresUrl());
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
