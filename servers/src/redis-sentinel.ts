import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverAccount } from "./account.ts";
import { machine, obtainBinaries, type Surroundings } from "./binaries.ts";
import { Daemon, type TestServer } from "./daemon.ts";
import { freePort } from "./port.ts";
import { withRedis } from "./redis-client.ts";
import { Sandbox } from "./sandbox.ts";

/** By which name a test's sentinel knows its master. */
export const SENTINEL_NAME = "tested";

/**
 * Starts a Sentinel of the caller's own that watches a master and its replicas, and decides alone. It gives a master up after half a second.
 * @throws if Redis is not installed and cannot be, or does not start
 */
export async function startRedisSentinel(
  master: Pick<TestServer, "host" | "port">,
  surroundings: Surroundings = machine,
): Promise<TestServer> {
  const [redis] = await obtainBinaries(["redis-server"], "redis-server", surroundings);
  const port = await freePort();
  const sandbox = new Sandbox("sentinel", serverAccount(["redis"]), "SIGKILL");
  return await Daemon.start(sandbox, async () => {
    const file = join(sandbox.folder, "sentinel.conf");
    const lines = [
      "bind 127.0.0.1",
      `port ${port}`,
      `dir ${sandbox.folder}`,
      `sentinel monitor ${SENTINEL_NAME} ${master.host} ${master.port} 1`,
      `sentinel down-after-milliseconds ${SENTINEL_NAME} 500`,
      `sentinel failover-timeout ${SENTINEL_NAME} 2000`,
    ];
    // It writes what it learns into its configuration file.
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    chmodSync(file, 0o666);
    const url = `redis://127.0.0.1:${port}`;
    return { command: redis!, args: [file, "--sentinel"], url, end: "SIGTERM", greet: () => isWatching(url) };
  });
}

/** Rejects until it knows its master and a replica. */
async function isWatching(url: string): Promise<void> {
  await withRedis(url, async (sentinel) => {
    const replicas = (await sentinel.call("SENTINEL", "REPLICAS", SENTINEL_NAME)) as readonly unknown[];
    if (replicas.length === 0) throw new Error("It knows no replica.");
  });
}
