import { checkNamespace, UsageError } from "@perdure/core/storage";
import type { PoolOptions } from "mysql2";
import { type CallersPool, poolOf } from "./client.ts";

/** How mysql2 is told to connect. */
type ConnectOptions = Pick<
  PoolOptions,
  "host" | "port" | "user" | "password" | "database" | "ssl" | "socketPath" | "connectTimeout"
>;

/** What a store in MySQL or MariaDB can be told. */
export interface MysqlOptions extends ConnectOptions {
  /** `mysql://user:password@host:3306/database`, in place of the single options. */
  readonly url?: string;
  /** A pool of the caller's, who closes it, in place of a server. One with `multipleStatements: true` saves most round trips. */
  readonly pool?: CallersPool;
  /** Runs of one namespace know nothing of another's in the same database. Default `default`. */
  readonly namespace?: string;
  /** `auto`: the first use creates and migrates the schema. `check`: it refuses one that is not current. Default `auto`. */
  readonly migrate?: "auto" | "check";
  /** How many connections a pool of its own has at most. Default 10. */
  readonly maxConnections?: number;
  /** How long the server may be silent, in milliseconds, before its connection is given up as dead. Default 30000. */
  readonly requestTimeout?: number;
  /**
   * The largest packet that the server takes, in bytes: limits of payloads and commits follow from it, and `setup()` refuses a
   * server whose `max_allowed_packet` is smaller. Default 16 MiB, which is MariaDB's.
   */
  readonly maxAllowedPacket?: number;
  /**
   * `fsync`: what was acknowledged survives power loss; `setup()` refuses a server that does not sync each commit. `bounded-loss`:
   * it may lose the last second. Default `fsync`.
   */
  readonly durability?: "fsync" | "bounded-loss";
  /** An SQL expression for the time in epoch milliseconds, in place of the server's clock. For tests. */
  readonly clock?: string;
}

/** Options with their defaults. */
export interface Settings extends Required<
  Pick<
    MysqlOptions,
    "namespace" | "migrate" | "maxConnections" | "requestTimeout" | "maxAllowedPacket" | "durability" | "clock"
  >
> {
  /** The caller's pool, or how to connect one of our own. */
  readonly server: { readonly pool: CallersPool } | { readonly connect: ConnectOptions & { readonly uri?: string } };
}

const CONNECT_OPTIONS = [
  "host",
  "port",
  "user",
  "password",
  "database",
  "ssl",
  "socketPath",
  "connectTimeout",
] as const satisfies readonly (keyof ConnectOptions)[];

const OPTIONS: readonly string[] = [
  "url",
  ...CONNECT_OPTIONS,
  "pool",
  "namespace",
  "migrate",
  "maxConnections",
  "requestTimeout",
  "maxAllowedPacket",
  "durability",
  "clock",
] satisfies (keyof MysqlOptions)[];

/** Not from the time of day: where the clocks go back, that is not known for an hour. */
const CLOCK = "timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000";

/** @throws UsageError `invalid-argument` */
export function settingsOf(urlOrOptions: string | MysqlOptions): Settings {
  const given: MysqlOptions = typeof urlOrOptions === "string" ? { url: urlOrOptions } : urlOrOptions;
  requireThat(typeof given === "object" && given !== null, "options", "a connection string or an object");
  for (const name of Object.keys(given)) requireKnown(name);
  const options: MysqlOptions = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const settings: Settings = {
    namespace: options.namespace ?? "default",
    migrate: options.migrate ?? "auto",
    maxConnections: options.maxConnections ?? 10,
    requestTimeout: options.requestTimeout ?? 30_000,
    maxAllowedPacket: options.maxAllowedPacket ?? 16 * 1024 * 1024,
    durability: options.durability ?? "fsync",
    clock: options.clock ?? CLOCK,
    server: serverOf(options),
  };
  const { maxConnections, requestTimeout, maxAllowedPacket } = settings;
  checkNamespace(settings.namespace);
  requireThat(["auto", "check"].includes(settings.migrate), "migrate", "auto or check");
  requireThat(Number.isInteger(maxConnections) && maxConnections > 0, "maxConnections", "a whole number above zero");
  requireThat(requestTimeout > 0 && requestTimeout < 2 ** 31, "requestTimeout", "a number of milliseconds above zero");
  requireThat(
    Number.isInteger(maxAllowedPacket) && maxAllowedPacket >= 2 ** 20 && maxAllowedPacket <= 2 ** 30,
    "maxAllowedPacket",
    "a number of bytes from 1 MiB to 1 GiB",
  );
  requireThat(["fsync", "bounded-loss"].includes(settings.durability), "durability", "fsync or bounded-loss");
  requireThat(typeof settings.clock === "string" && settings.clock !== "", "clock", "an SQL expression");
  return settings;
}

function serverOf(options: MysqlOptions): Settings["server"] {
  const { url, pool } = options;
  const connect = Object.fromEntries(
    CONNECT_OPTIONS.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as ConnectOptions;
  if (pool !== undefined) {
    requireThat(poolOf(pool) !== undefined, "pool", "a pool of mysql2");
    requireThat(url === undefined, "url", "absent when there is a pool, which knows its server");
    for (const name of Object.keys(connect)) requireThat(false, name, "absent when there is a pool, which knows it");
    return { pool };
  }
  if (url === undefined) {
    requireThat(connect.database !== undefined, "database", "the name of a database, or part of a url");
    return { connect };
  }
  requireThat(isUrl(url), "url", "a text like mysql://user:password@host:3306/database, with the name of a database");
  return { connect: { ...connect, uri: url } };
}

function isUrl(url: unknown): boolean {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  const { protocol, pathname } = new URL(url);
  return ["mysql:", "mariadb:"].includes(protocol) && pathname.length > 1;
}

/** The value is not repeated: it may hold a password. */
function requireThat(condition: boolean, option: string, rule: string): void {
  if (condition) return;
  throw new UsageError("invalid-argument", `mysql: ${option} must be ${rule}. Correct the option.`, {
    details: { field: option },
  });
}

function requireKnown(name: string): void {
  if (OPTIONS.includes(name)) return;
  throw new UsageError("invalid-argument", `mysql has no option "${name}". Its options are ${OPTIONS.join(", ")}.`, {
    details: { field: name },
  });
}
