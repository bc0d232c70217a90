import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverAccount } from "./account.ts";
import { machine, obtainBinaries, type Surroundings } from "./binaries.ts";
import { Daemon, type TestServer } from "./daemon.ts";
import type { ServerOptions } from "./options.ts";
import { freePort } from "./port.ts";
import { redisFields, withRedis } from "./redis-client.ts";
import { Sandbox } from "./sandbox.ts";

/**
 * Starts a Redis of the caller's own. It syncs what it writes before it answers; `settings: { appendfsync: "everysec" }` makes it one
 * that syncs every second, as Redis does by default once it has an append-only file, and `{ replicaof: "127.0.0.1 6379" }` a replica, which
 * is there when it has all of its master's data.
 * @throws if it is not installed and cannot be, or does not start
 */
export async function startRedis(
  { settings = {}, password }: ServerOptions = {},
  surroundings: Surroundings = machine,
): Promise<TestServer> {
  const [redis] = await obtainBinaries(["redis-server"], "redis-server", surroundings);
  const port = await freePort();
  const sandbox = new Sandbox("redis", serverAccount(["redis"]), "SIGKILL");
  const { folder } = sandbox;
  const address = { bind: "127.0.0.1", port, dir: folder, daemonize: "no" };
  const storing = { appendonly: "yes", appendfsync: "always", save: '""' };
  const swift = { "repl-diskless-sync-delay": 0 };
  const secrets = password === undefined ? {} : { requirepass: quoted(password), masterauth: quoted(password) };
  const all = { ...address, ...storing, ...swift, ...secrets, "enable-debug-command": "local", ...settings };

  return await Daemon.start(sandbox, async () => {
    const file = join(folder, "redis.conf");
    const lines = Object.entries(all).map(([name, value]) => `${name} ${value}\n`);
    writeFileSync(file, lines.join(""));
    const url = new URL(`redis://127.0.0.1:${port}`);
    if (password !== undefined) url.password = password;
    return { command: redis!, args: [file], url: url.href, end: "SIGTERM", greet: () => isThere(url.href) };
  });
}

/** Rejects if the server does not answer, cannot be written to, or would keep nothing: many tests are about what a server keeps. */
export async function greetRedis(url: string): Promise<void> {
  await withRedis(url, async (client) => {
    const info = redisFields(await client.info());
    if (info.get("cluster_enabled") === "1") throw new Error("it is a node of a Cluster");
    if (info.get("role") !== "master") throw new Error("it is a replica");
    if (info.get("aof_enabled") !== "1") throw new Error("it has no append-only file (appendonly no)");
  });
}

/** Rejects if it does not answer, still loads, or is a replica without its master's data. */
async function isThere(url: string): Promise<void> {
  await withRedis(url, async (client) => {
    await client.ping();
    const link = redisFields(await client.info("replication")).get("master_link_status") ?? "up";
    if (link !== "up") throw new Error(`Its link to its master is ${link}.`);
  });
}

/** As its configuration file has it. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/gu, "\\$&")}"`;
}
