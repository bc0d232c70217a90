import { checkNamespace, UsageError } from "@perdure/core/storage";
import { Client, Pool, type PoolConfig } from "pg";

/** What a store in PostgreSQL can be told. */
export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`. Without it and without `pool`: PGHOST, PGUSER and so on, as psql reads them. */
  readonly url?: string;
  /** Options for the pool of connections, as node-postgres takes them; or a pool of the caller's, who closes it. */
  readonly pool?: PoolConfig | Pool;
  /** The schema that the tables are in; created if it is not there. Default `perdure`. */
  readonly schema?: string;
  /** Runs of one namespace know nothing of another's in the same schema. Default `default`. */
  readonly namespace?: string;
  /** `auto`: the first use creates and migrates the schema. `check`: it refuses one that is not current. Default `auto`. */
  readonly migrate?: "auto" | "check";
  /**
   * Whether connections go through a pooler that lends them out for single transactions, such as PgBouncer with
   * `pool_mode=transaction`. `auto`: the first use finds out. Default `auto`.
   */
  readonly pooler?: "auto" | "none" | "transaction";
  /** How long a statement may take, in milliseconds, before its connection is given up as dead. Default 30000. */
  readonly requestTimeout?: number;
  /** An SQL expression for the time in epoch milliseconds, in place of the server's clock. For tests. */
  readonly clock?: string;
}

/** Options with their defaults. */
export interface Settings extends Required<Omit<PostgresOptions, "url" | "pool">> {
  /** The caller's; undefined: the store makes one. */
  readonly pool: Pool | undefined;
  /** How connections are made. */
  readonly config: PoolConfig;
}

const OPTIONS: ReadonlySet<string> = new Set([
  "url",
  "pool",
  "schema",
  "namespace",
  "migrate",
  "pooler",
  "requestTimeout",
  "clock",
] satisfies (keyof PostgresOptions)[]);

const CLOCK = "floor(extract(epoch from clock_timestamp()) * 1000)::bigint";

/** @throws UsageError `invalid-argument` */
export function settingsOf(urlOrOptions: string | PostgresOptions): Settings {
  const options: PostgresOptions = typeof urlOrOptions === "string" ? { url: urlOrOptions } : (urlOrOptions ?? {});
  requireThat(typeof options === "object", "options", "a connection string or an object");
  for (const name of Object.keys(options)) requireKnown(name);
  const { url, pool = {}, ...others } = options;
  const settings: Settings = {
    schema: "perdure",
    namespace: "default",
    migrate: "auto",
    pooler: "auto",
    requestTimeout: 30_000,
    clock: CLOCK,
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
    ...poolOf(url, pool),
  };
  const { schema, requestTimeout } = settings;
  requireThat(
    typeof schema === "string" && schema !== "" && Buffer.byteLength(schema) <= 63 && !schema.includes("\0"),
    "schema",
    "a name of 1 to 63 bytes",
  );
  checkNamespace(settings.namespace);
  requireThat(["auto", "check"].includes(settings.migrate), "migrate", "auto or check");
  requireThat(["auto", "none", "transaction"].includes(settings.pooler), "pooler", "auto, none or transaction");
  requireThat(requestTimeout > 0 && requestTimeout < 2 ** 31, "requestTimeout", "a number of milliseconds above zero");
  requireThat(typeof settings.clock === "string" && settings.clock !== "", "clock", "an SQL expression");
  return settings;
}

function poolOf(url: string | undefined, pool: PoolConfig | Pool): Pick<Settings, "pool" | "config"> {
  requireThat(typeof pool === "object" && pool !== null, "pool", "the options of a pool, or a pool of node-postgres");
  if (isPool(pool)) {
    requireThat(url === undefined, "url", "absent when there is a pool, which knows its server");
    // A pool keeps its password where copying does not find it.
    return { pool, config: { ...pool.options, password: pool.options.password } };
  }
  if (url === undefined) return { pool: undefined, config: checked(pool) };
  requireThat(
    typeof url === "string" && /^(?:postgres(?:ql)?|socket):/u.test(url),
    "url",
    "a text that begins with postgres://",
  );
  for (const name of IN_URL)
    requireThat(pool[name] === undefined, `pool.${name}`, "absent when there is a url, which has it");
  return { pool: undefined, config: checked({ ...pool, connectionString: url }) };
}

/** What an URL says, and what node-postgres takes from nowhere else then. */
const IN_URL = ["user", "password", "host", "port", "database", "connectionString"] as const;

/** What node-postgres would refuse when it connects. */
function checked(config: PoolConfig): PoolConfig {
  let port = 0;
  try {
    ({ port } = new Client(config));
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    // An URL may have a password in it: it is not repeated.
    if (code === "ERR_INVALID_URL") requireThat(false, "url", "an URL, in which a password is encoded as in all URLs");
    requireThat(false, config.connectionString === undefined ? "pool" : "url", `right: ${message}`);
  }
  requireThat(port > 0 && port < 65_536, "port", "a number from 1 to 65535");
  return config;
}

/** Also one of another copy of node-postgres. */
function isPool(pool: PoolConfig | Pool): pool is Pool {
  return (
    pool instanceof Pool || (typeof (pool as { connect?: unknown }).connect === "function" && "totalCount" in pool)
  );
}

function requireThat(condition: boolean, option: string, rule: string): void {
  if (condition) return;
  throw new UsageError("invalid-argument", `postgres: ${option} must be ${rule}. Correct the option.`, {
    details: { field: option },
  });
}

function requireKnown(name: string): void {
  if (OPTIONS.has(name)) return;
  throw new UsageError(
    "invalid-argument",
    `postgres has no option "${name}". Its options are ${[...OPTIONS].join(", ")}.`,
    { details: { field: name } },
  );
}
