import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverAccount } from "./account.ts";
import { machine, obtainBinaries, type Surroundings } from "./binaries.ts";
import { Daemon, type TestServer } from "./daemon.ts";
import { freePort } from "./port.ts";
import { greetPostgres } from "./postgres.ts";
import { Sandbox } from "./sandbox.ts";

export interface PgBouncerOptions {
  /** The URL of the PostgreSQL that it stands before, with the user as whom it connects. */
  readonly target: string;
  /** For how long a client has a connection of the server for itself. */
  readonly poolMode: "transaction" | "session";
  /** Settings of its section `[pgbouncer]`, for example `{ default_pool_size: 2 }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/**
 * Starts a PgBouncer before a PostgreSQL. Whoever connects becomes the target's user, and is asked for no password.
 * @throws if it is not installed and cannot be, or does not start
 */
export async function startPgBouncer(
  { target, poolMode, settings = {} }: PgBouncerOptions,
  surroundings: Surroundings = machine,
): Promise<TestServer> {
  const [pgbouncer] = await obtainBinaries(["pgbouncer"], "pgbouncer", surroundings);
  const { hostname, port: targetPort, username, password, pathname } = new URL(target);
  const port = await freePort();
  const account = serverAccount(["postgres"]);
  const sandbox = new Sandbox("pgbouncer", account, "SIGTERM");

  return await Daemon.start(sandbox, async () => {
    const upstream = { host: hostname, port: targetPort || 5432, user: username, password };
    const address = { listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "" };
    const pool = { auth_type: "any", pool_mode: poolMode, max_client_conn: 200 };
    const file = join(sandbox.folder, "pgbouncer.ini");
    writeFileSync(
      file,
      [
        "[databases]",
        // It takes no empty value.
        `* = ${Object.entries(upstream)
          .filter(([, value]) => value !== "")
          .map(([name, value]) => `${name}='${decodeURIComponent(String(value)).replaceAll("'", "''")}'`)
          .join(" ")}`,
        "[pgbouncer]",
        ...Object.entries({ ...address, ...pool, ...settings }).map(([name, value]) => `${name} = ${value}`),
      ].join("\n"),
    );
    const url = `postgres://${username}@127.0.0.1:${port}${pathname}`;
    return { command: pgbouncer!, args: [file], url, end: "SIGTERM", greet: () => greetPostgres(url) };
  });
}
