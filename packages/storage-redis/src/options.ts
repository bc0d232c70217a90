import { checkNamespace, UsageError } from "@perdure/core/storage";
import { Cluster, Redis, type ClusterOptions, type RedisOptions as ConnectOptions } from "ioredis";

/** Where a node of a Cluster listens. */
export interface ClusterAddress {
  readonly host: string;
  readonly port: number;
}

/** What a store in Redis can be told. */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://…` for TLS. Default: 127.0.0.1, port 6379. */
  readonly url?: string;
  /**
   * Some nodes of a Redis Cluster, in place of `url`; the others are found through them, and spoken to as the first URL says: with its user and
   * password, and TLS if it is `rediss://`.
   */
  readonly nodes?: readonly (string | ClusterAddress)[];
  /** How each connection is made, as ioredis takes it: password, TLS, sentinels. What `url` says comes first. */
  readonly connection?: ConnectOptions;
  /** More about a Cluster, as ioredis takes it: `natMap`, `dnsLookup`. */
  readonly cluster?: ClusterOptions;
  /** An ioredis client or Cluster of the caller's, who closes it, in place of all of the above. */
  readonly client?: Redis | Cluster;
  /** What every key and channel begins with. No braces: those decide a key's slot in a Cluster. Default `perdure:`. */
  readonly prefix?: string;
  /** Runs of one namespace know nothing of another's under the same prefix. Default `default`. */
  readonly namespace?: string;
  /**
   * Into how many parts runs are divided; each lies in one slot of a Cluster. Decided by the first `setup()` of a prefix, for
   * good: another number is refused later, none takes what is there. Default 1, and 16 in a Cluster.
   */
  readonly shards?: number;
  /** How long an answer may take, in milliseconds, before its connection is given up as dead. Default 30000, and 10000 in a Cluster. */
  readonly requestTimeout?: number;
  /**
   * What acknowledged writes survive, where the server does not let `setup()` find out (CONFIG is forbidden by most providers). Default:
   * what the server says, else `memory`.
   */
  readonly durability?: "fsync" | "bounded-loss" | "memory";
  /** How far ahead of the server's clock the store's is, in whole milliseconds. For tests. */
  readonly clock?: () => number;
}

/** Options with their defaults. */
export interface Settings extends Required<Pick<RedisOptions, "prefix" | "namespace" | "requestTimeout" | "clock">> {
  /** The caller's client, or how to make one of our own. */
  readonly server: { readonly client: Redis | Cluster } | { readonly connect: () => Redis | Cluster };
  readonly isCluster: boolean;
  /** Undefined: what the store has. */
  readonly shards: number | undefined;
  readonly durability: RedisOptions["durability"];
}

const OPTIONS: ReadonlySet<string> = new Set([
  "url",
  "nodes",
  "connection",
  "cluster",
  "client",
  "prefix",
  "namespace",
  "shards",
  "requestTimeout",
  "durability",
  "clock",
] satisfies (keyof RedisOptions)[]);

/** More shards would cost claims more than they spread. */
const MAX_SHARDS = 256;

/** @throws UsageError `invalid-argument` */
export function settingsOf(urlOrOptions: string | RedisOptions): Settings {
  const options: RedisOptions = typeof urlOrOptions === "string" ? { url: urlOrOptions } : urlOrOptions;
  requireThat(typeof options === "object" && options !== null, "options", "a URL or an object");
  for (const name of Object.keys(options)) requireKnown(name);
  const { prefix = "perdure:", namespace = "default", clock = noOffset, durability, shards } = options;
  const { requestTimeout = isForCluster(options) ? 10_000 : 30_000 } = options;
  requireThat(
    typeof prefix === "string" && Buffer.byteLength(prefix) <= 255 && !/[{}\0]/u.test(prefix),
    "prefix",
    "a text of at most 255 bytes without braces",
  );
  checkNamespace(namespace);
  requireThat(
    shards === undefined || (Number.isSafeInteger(shards) && shards >= 1 && shards <= MAX_SHARDS),
    "shards",
    `a whole number, 1 … ${MAX_SHARDS}`,
  );
  requireThat(requestTimeout > 0 && requestTimeout < 2 ** 31, "requestTimeout", "a number of milliseconds above zero");
  requireThat(
    durability === undefined || ["fsync", "bounded-loss", "memory"].includes(durability),
    "durability",
    "fsync, bounded-loss or memory",
  );
  requireThat(typeof clock === "function", "clock", "a function");
  return {
    prefix,
    namespace,
    requestTimeout,
    clock,
    durability,
    shards,
    ...serverOf(options, carefully(requestTimeout)),
  };
}

/** Its other masters answer, and a replica may have taken over: what is dead is given up sooner. */
function isForCluster({ nodes, client }: RedisOptions): boolean {
  return nodes !== undefined || client?.isCluster === true;
}

function noOffset(): number {
  return 0;
}

function serverOf(options: RedisOptions, careful: ConnectOptions): Pick<Settings, "server" | "isCluster"> {
  const { url, nodes, connection = {}, cluster = {}, client } = options;
  if (client !== undefined) {
    for (const name of ["url", "nodes", "connection", "cluster"] as const)
      requireThat(options[name] === undefined, name, "absent when there is a client, which knows its server");
    requireThat(isClient(client), "client", "a client or Cluster of ioredis");
    requireThat(!client.options.keyPrefix, "client", "one without keyPrefix. Use the option prefix of this storage");
    requireThat(
      !client.isCluster || readsFromMasters((client as Cluster).options),
      "client",
      "one that reads from masters (scaleReads): replicas are behind",
    );
    return { server: { client }, isCluster: client.isCluster };
  }
  requireThat(
    !connection.keyPrefix && !cluster.keyPrefix,
    "connection.keyPrefix",
    "absent: there is the option prefix",
  );
  requireThat(readsFromMasters(cluster), "cluster.scaleReads", "master, its default: replicas are behind");
  if (nodes === undefined) {
    const address = url === undefined ? undefined : checkedUrl(url, "url");
    return { server: { connect: () => newClient(address, { ...careful, ...connection }) }, isCluster: false };
  }
  requireThat(url === undefined, "url", "absent when there are nodes");
  requireThat(Array.isArray(nodes) && nodes.length > 0, "nodes", "a list of URLs or of { host, port }");
  const addresses = nodes.map(checkedNode);
  const each = { ...careful, ...manners(addresses), ...cluster.redisOptions, ...connection };
  return { server: { connect: () => newCluster(addresses, each, cluster) }, isCluster: true };
}

function readsFromMasters({ scaleReads = "master" }: ClusterOptions): boolean {
  return scaleReads === "master";
}

/** Also one of another copy of ioredis. */
function isClient(client: Redis | Cluster): boolean {
  const { evalsha, duplicate, isCluster } = client as Partial<Redis>;
  return typeof evalsha === "function" && typeof duplicate === "function" && typeof isCluster === "boolean";
}

function checkedUrl(url: string, option: string): string {
  requireThat(
    typeof url === "string" && /^rediss?:\/\//u.test(url),
    option,
    "a text that begins with redis:// or rediss://",
  );
  // An URL may have a password in it: it is not repeated.
  requireThat(URL.canParse(url), option, "an URL, in which a password is encoded as in all URLs");
  return url;
}

/** How the nodes of a Cluster are spoken to that its first node tells of, by addresses alone: as the first URL says. */
function manners(addresses: readonly (string | ClusterAddress)[]): ConnectOptions {
  const first = addresses.find((address) => typeof address === "string");
  if (first === undefined) return {};
  const { protocol, username, password } = new URL(first);
  return {
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" && { tls: {} }),
  };
}

function checkedNode(node: string | ClusterAddress): string | ClusterAddress {
  if (typeof node === "string") return checkedUrl(node, "nodes");
  const { host, port } = node;
  requireThat(typeof host === "string" && host !== "", "nodes", "a list of URLs or of { host, port }");
  requireThat(Number.isSafeInteger(port) && port > 0 && port < 65_536, "nodes", "with ports from 1 to 65535");
  return { host, port };
}

/**
 * What is lost with a connection is answered as lost, not sent again behind one's back: the caller knows what to do with an unsure answer. A
 * server that is silent for so long is given up as dead.
 */
function carefully(requestTimeout: number): ConnectOptions {
  return {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
    connectTimeout: 10_000,
    socketTimeout: requestTimeout,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
  };
}

function newClient(url: string | undefined, connection: ConnectOptions): Redis {
  // Types of ioredis are not made for exact optional properties.
  return url === undefined ? new Redis(connection as object) : new Redis(url, connection as object);
}

function newCluster(
  nodes: readonly (string | ClusterAddress)[],
  connection: ConnectOptions,
  cluster: ClusterOptions,
): Cluster {
  return new Cluster([...nodes], {
    lazyConnect: true,
    retryDelayOnFailover: 0,
    ...cluster,
    redisOptions: connection as object,
  });
}

function requireThat(condition: boolean, option: string, rule: string): void {
  if (condition) return;
  throw new UsageError("invalid-argument", `redis: ${option} must be ${rule}. Correct the option.`, {
    details: { field: option },
  });
}

function requireKnown(name: string): void {
  if (OPTIONS.has(name)) return;
  throw new UsageError(
    "invalid-argument",
    `redis has no option "${name}". Its options are ${[...OPTIONS].join(", ")}.`,
    { details: { field: name } },
  );
}
