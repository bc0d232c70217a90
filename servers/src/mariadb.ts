import { writeFileSync } from "node:fs";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { serverAccount } from "./account.ts";
import { machine, obtainBinaries, type Surroundings } from "./binaries.ts";
import { Daemon, type TestServer } from "./daemon.ts";
import { freePort } from "./port.ts";
import { Sandbox } from "./sandbox.ts";
import type { ServerOptions } from "./options.ts";

/**
 * Starts a MariaDB of the caller's own, with user `root` and a database `test`. It syncs what it writes, as by default.
 * @throws if it is not installed and cannot be, or does not start
 */
export async function startMariadb(
  { settings = {}, password }: ServerOptions = {},
  surroundings: Surroundings = machine,
): Promise<TestServer> {
  const names = ["mariadb-install-db", "mariadbd"];
  const [install, mariadbd] = await obtainBinaries(names, "mariadb-server", surroundings);
  const port = await freePort();
  const sandbox = new Sandbox("mariadb", serverAccount(["mysql"]), "SIGKILL");
  const data = join(sandbox.folder, "data");
  const address = { "bind-address": "127.0.0.1", port, socket: join(sandbox.folder, "socket") };
  const initFile = join(sandbox.folder, "init.sql");
  const files = { datadir: data, "pid-file": join(sandbox.folder, "pid"), "init-file": initFile };
  const all = { ...files, ...address, "skip-name-resolve": 1, ...settings };

  return await Daemon.start(sandbox, async () => {
    writeFileSync(initFile, `alter user root@'127.0.0.1' identified by ${mysql.escape(password ?? "")};\n`);
    const access = ["--auth-root-authentication-method=normal", "--skip-name-resolve"];
    await sandbox.run(install!, ["--no-defaults", `--datadir=${data}`, ...access]);
    const url = new URL(`mysql://root@127.0.0.1:${port}/test`);
    if (password !== undefined) url.password = password;
    return {
      command: mariadbd!,
      args: ["--no-defaults", ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)],
      url: url.href,
      end: "SIGTERM",
      greet: () => greetMysql(url.href),
    };
  });
}

/** Rejects if the server does not answer. Makes the URL's database, if it names one. */
export async function greetMysql(url: string): Promise<void> {
  const server = new URL(url);
  const database = decodeURIComponent(server.pathname.slice(1));
  server.pathname = "";
  const connection = await mysql.createConnection({ uri: server.href, connectTimeout: 5_000 });
  try {
    if (database !== "") await connection.query("create database if not exists ??", [database]);
  } finally {
    await connection.end();
  }
}
