import { writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { serverAccount } from "./account.ts";
import { machine, obtainBinaries, type Surroundings } from "./binaries.ts";
import { Daemon, type TestServer } from "./daemon.ts";
import { freePort } from "./port.ts";
import { Sandbox } from "./sandbox.ts";
import type { ServerOptions } from "./options.ts";

/**
 * Starts a PostgreSQL of the caller's own, with user and database `postgres`. It syncs what it writes, as by default.
 * @throws if it is not installed and cannot be, or does not start
 */
export async function startPostgres(
  { settings = {}, password }: ServerOptions = {},
  surroundings: Surroundings = machine,
): Promise<TestServer> {
  const [initdb, postgres] = await obtainBinaries(["initdb", "postgres"], "postgresql", surroundings);
  const port = await freePort();
  const sandbox = new Sandbox("postgres", serverAccount(["postgres"]), "SIGQUIT");
  const data = join(sandbox.folder, "data");
  const address = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "" };
  // In the folder it goes with the folder, also after a SIGKILL.
  const all = { ...address, dynamic_shared_memory_type: "mmap", ...settings };

  return await Daemon.start(sandbox, async () => {
    const secret = join(sandbox.folder, "password");
    writeFileSync(secret, `${password ?? "none"}\n`);
    const authentication = password === undefined ? "trust" : "scram-sha-256";
    const locale = ["--encoding=UTF8", "--locale=C"];
    const access = ["--username=postgres", `--auth=${authentication}`, `--pwfile=${secret}`];
    await sandbox.run(initdb!, [`--pgdata=${data}`, "--no-sync", ...locale, ...access]);
    const url = new URL(`postgres://postgres@127.0.0.1:${port}/postgres`);
    if (password !== undefined) url.password = password;
    return {
      command: postgres!,
      args: ["-D", data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      url: url.href,
      end: "SIGINT",
      greet: () => greetPostgres(url.href),
    };
  });
}

/** Rejects if the server does not answer, or does not let its user make schemas. */
export async function greetPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query("select has_database_privilege(current_database(), 'CREATE') as allowed");
    if (!rows[0].allowed) throw new Error("the user may not create schemas");
  } finally {
    await client.end();
  }
}
