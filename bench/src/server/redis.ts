import { Redis } from "ioredis";
import { readProcess } from "./processes.ts";
import type { Server } from "./server.ts";

const VARIABLE = "PERDURE_REDIS_URL";

const SETTINGS = ["appendonly", "appendfsync", "save", "auto-aof-rewrite-percentage", "io-threads"] as const;

/**
 * Starts a server, if none is named, for this process and for those that it starts. It syncs every second, as Redis does by default when
 * it has an append-only file.
 */
export async function useRedis(): Promise<void> {
  if (process.env[VARIABLE] !== undefined) return;
  // Not loaded where the server is known already.
  const { startRedis } = await import("perdure-servers");
  process.env[VARIABLE] = (await startRedis({ settings: { appendfsync: "everysec" } })).url;
}

/** The server that {@link useRedis} found. */
export function redisUrl(): string {
  return process.env[VARIABLE]!;
}

/** Removes all keys that begin like this. */
export function removeKeys(prefix: string): Promise<void> {
  return connected(async (client) => {
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 }))
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
  });
}

export function describeRedis(): Promise<Server> {
  return connected(async (client) => {
    const info = await client.info("server");
    const factOf = (name: string): string => new RegExp(`^${name}:(.*)$`, "mu").exec(info)?.[1]?.trim() ?? "";
    const values: [string, string][] = [];
    for (const name of SETTINGS) values.push([name, ((await client.config("GET", name)) as string[])[1] ?? "unknown"]);
    const pid = Number(factOf("process_id"));
    return {
      product: `Redis ${factOf("redis_version")}`,
      settings: Object.fromEntries(values),
      // A server elsewhere has no such process here.
      pid: readProcess(pid)?.name === "redis-server" ? pid : null,
    };
  });
}

async function connected<T>(use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redisUrl());
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
