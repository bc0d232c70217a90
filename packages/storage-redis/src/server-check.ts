import { type Capabilities, StorageError } from "@perdure/core/storage";
import type { Redis } from "ioredis";
import type { Connection } from "./connection.ts";
import type { RedisOptions } from "./options.ts";

type Durability = Capabilities["durability"];

/** The first version whose scripts write as we need it. */
const OLDEST = 7;

/** Weakest first: a Cluster is as durable as its weakest master. */
const CLASSES: readonly Durability[] = ["memory", "bounded-loss", "fsync"];

/**
 * Refuses a server on which our promises would not hold; answers how durable what it acknowledges is.
 * @throws StorageError `misconfigured`
 */
export async function checkServer(connection: Connection, declared: RedisOptions["durability"]): Promise<Durability> {
  const found = await connection.send(() => Promise.all(connection.masters().map(checkNode)));
  const weakest = found.reduce<Durability | undefined>((least, one) => weaker(least, one), "fsync");
  return weakest ?? declared ?? "memory";
}

/** Undefined: it does not say. */
function weaker(one: Durability | undefined, other: Durability | undefined): Durability | undefined {
  if (one === undefined || other === undefined) return undefined;
  return CLASSES.indexOf(one) < CLASSES.indexOf(other) ? one : other;
}

async function checkNode(node: Redis): Promise<Durability | undefined> {
  const facts = parseInfo(await node.info());
  const version = facts.get("redis_version") ?? "";
  if (Number.parseInt(version, 10) < OLDEST) refuse(`Redis ${version} is too old. Update it to ${OLDEST} or newer.`);
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction") {
    refuse(
      `Redis evicts data when its memory is full (maxmemory-policy ${policy}), so runs could vanish. Set maxmemory-policy noeviction.`,
    );
  }
  if (facts.get("aof_enabled") === "0") return "memory";
  return syncs(node);
}

/** When the log is synced. Most providers forbid the question. */
async function syncs(node: Redis): Promise<Durability | undefined> {
  const answer = await node.config("GET", "appendfsync").catch(() => []);
  const value = (answer as readonly string[])[1];
  if (value === undefined) return undefined;
  return value === "always" ? "fsync" : "bounded-loss";
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\r\n").map((line) => line.split(":", 2));
  return new Map(lines.flatMap(([name, value]) => (value === undefined ? [] : [[name!, value] as const])));
}

function refuse(message: string): never {
  throw new StorageError("misconfigured", message);
}
