import { userInfo } from "node:os";
import { greetCosmos, startCosmos } from "./cosmos.ts";
import { machine, type Surroundings } from "./binaries.ts";
import type { TestServer } from "./daemon.ts";
import { greetMysql, startMariadb } from "./mariadb.ts";
import type { ServerOptions } from "./options.ts";
import { greetPostgres, startPostgres } from "./postgres.ts";
import { greetRedisCluster, startRedisCluster } from "./redis-cluster.ts";
import { greetRedis, startRedis } from "./redis.ts";
import { skippedBackends } from "./skipped.ts";

/** A server that ordinary tests share: each keeps to schemas, databases or keys of its own, and drops them. */
export interface FoundServer {
  readonly url: string;
}

/** A kind of server, and how to come by one. */
export interface Kind {
  readonly backend: "postgres" | "mysql" | "redis" | "cosmos";
  readonly product: string;
  /** Of the environment: names a server. */
  readonly variable: string;
  /** A server that listens already may let one of these in. */
  readonly usual: readonly string[];
  readonly greet: (url: string) => Promise<void>;
  readonly start: (options: ServerOptions, surroundings: Surroundings) => Promise<Omit<TestServer, "folder">>;
  /** For many tests at once, each with pools of connections. */
  readonly roomy: ServerOptions;
}

const roomy: ServerOptions = { settings: { max_connections: 300 } };

export const postgres: Kind = {
  backend: "postgres",
  product: "PostgreSQL",
  variable: "PERDURE_POSTGRES_URL",
  usual: [...new Set(["postgres", userInfo().username])].map(
    (user) => `postgres://${encodeURIComponent(user)}@127.0.0.1:5432/postgres`,
  ),
  greet: greetPostgres,
  start: startPostgres,
  roomy,
};

export const mysql: Kind = {
  backend: "mysql",
  product: "MariaDB or MySQL",
  variable: "PERDURE_MYSQL_URL",
  usual: ["mysql://root@127.0.0.1:3306/test"],
  greet: greetMysql,
  start: startMariadb,
  roomy,
};

export const redis: Kind = {
  backend: "redis",
  product: "Redis",
  variable: "PERDURE_REDIS_URL",
  usual: ["redis://127.0.0.1:6379"],
  greet: greetRedis,
  start: startRedis,
  roomy: {},
};

export const redisCluster: Kind = {
  backend: "redis",
  product: "Redis Cluster",
  variable: "PERDURE_REDIS_CLUSTER_URL",
  usual: ["redis://127.0.0.1:6379", "redis://127.0.0.1:7000"],
  greet: greetRedisCluster,
  start: startRedisCluster,
  roomy: {},
};

export const cosmos: Kind = {
  backend: "cosmos",
  product: "local Cosmos DB",
  variable: "PERDURE_COSMOS_URL",
  usual: [],
  greet: greetCosmos,
  start: startCosmos,
  roomy: {},
};

const found = new Map<Kind, Promise<FoundServer>>();

/**
 * The PostgreSQL for tests: that of `PERDURE_POSTGRES_URL`, or one that listens on its usual port, or one that is started,
 * and ends with this process. Child processes find the same.
 * @throws if none can be had: what was tried, and what to do
 */
export function findPostgres(): Promise<FoundServer> {
  return findOnce(postgres);
}

/** As {@link findPostgres}, with `PERDURE_MYSQL_URL`: MariaDB or MySQL. */
export function findMysql(): Promise<FoundServer> {
  return findOnce(mysql);
}

/** As {@link findPostgres}, with `PERDURE_REDIS_URL`: a Redis that has an append-only file. */
export function findRedis(): Promise<FoundServer> {
  return findOnce(redis);
}

/** As {@link findRedis}, with `PERDURE_REDIS_CLUSTER_URL`: any node of a Redis Cluster. */
export function findRedisCluster(): Promise<FoundServer> {
  return findOnce(redisCluster);
}

/** The local Cosmos DB for tests: that of `PERDURE_COSMOS_URL`, or one that is started, and ends with this process. */
export function findCosmos(): Promise<FoundServer> {
  return findOnce(cosmos);
}

/** Finds or starts it before tests begin, for all of their processes. If none can be had, they all say so. */
export async function shareServer(kind: Kind): Promise<void> {
  if (skippedBackends().includes(kind.backend)) return;
  try {
    await findOnce(kind);
  } catch (error) {
    process.env[`${kind.variable}_PROBLEM`] = (error as Error).message;
  }
}

function findOnce(kind: Kind): Promise<FoundServer> {
  const server = found.get(kind) ?? findServer(kind, machine);
  found.set(kind, server);
  return server;
}

export async function findServer(kind: Kind, surroundings: Surroundings): Promise<FoundServer> {
  const { environment } = surroundings;
  const name = kind.variable;
  if (skippedBackends().includes(kind.backend))
    throw new Error(`PERDURE_SKIP_BACKENDS leaves the tests of ${kind.backend} out, and one asks for its server.`);
  const problem = environment[`${name}_PROBLEM`];
  if (problem) throw new Error(problem);

  const given = environment[name];
  if (given) {
    const refusal = await refusalOf(kind, given);
    if (refusal === null) return { url: given };
    throw new Error(`The server of ${name} is of no use: ${refusal}. Correct the URL, or unset ${name}.`);
  }
  const tried: string[] = [`${name} is not set`];
  for (const url of kind.usual) {
    // The first that lets us in is taken.
    const refusal = await refusalOf(kind, url);
    if (refusal === null) return { url };
    const { username, host } = new URL(url);
    tried.push(`${username === "" ? "" : `${username} at `}${host}: ${refusal}`);
  }
  try {
    const { url } = await kind.start(kind.roomy, surroundings);
    environment[name] = url;
    return { url };
  } catch (error) {
    tried.push((error as Error).message);
  }
  throw new Error(
    `No ${kind.product} for tests: ${tried.join("; ")}. Install it, or set ${name}, or leave its tests out with PERDURE_SKIP_BACKENDS=${kind.backend}.`,
  );
}

/** Why the server does not let us in; `null` if it does. */
async function refusalOf(kind: Kind, url: string): Promise<string | null> {
  try {
    await kind.greet(url);
    return null;
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return message || code || String(error);
  }
}
