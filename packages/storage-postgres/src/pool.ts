import { randomBytes } from "node:crypto";
import { StorageError } from "@perdure/core/storage";
import type { Connection, ConnectionPool } from "@perdure/storage-sql";
import { type ClientBase, type ClientConfig, Pool, type PoolClient } from "pg";
import { PostgresConnection } from "./connection.ts";
import { demoted, isReadOnly, storageErrorOf } from "./errors.ts";
import { join } from "./joined-connection.ts";
import { borrow, giveBack } from "./lending.ts";
import type { Settings } from "./options.ts";
import { hasTransactionPooler } from "./pooler.ts";
import { checkServer } from "./server-check.ts";
import { prepareSession } from "./session.ts";

const DEFAULTS: ClientConfig = {
  application_name: "perdure",
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

/** The connections of a store, of its own or of the caller's pool. */
export class PostgresPool implements ConnectionPool {
  readonly #settings: Settings;
  /** Names of prepared statements are the connection's, and another store may use the same ones. */
  readonly #prefix = `perdure_${randomBytes(6).toString("hex")}_`;
  #pool: Pool | undefined;
  /** Whether connections are lent out for single transactions; undefined as long as nobody knows. */
  #isPooled: boolean | undefined;
  #wasWritable = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Whether connections are lent out for single transactions: nothing of a session stays then. Known once it is open. */
  get isPooled(): boolean {
    return this.#isPooled ?? false;
  }

  /** How a connection of its own is made that no pool has. */
  get clientConfig(): ClientConfig {
    return { ...DEFAULTS, ...this.#settings.config };
  }

  async open(): Promise<void> {
    const { pool, pooler } = this.#settings;
    this.#isPooled = pooler === "auto" ? undefined : pooler === "transaction";
    this.#pool = pool ?? this.#newPool();
    this.#pool.on("error", ignore);
    try {
      await this.#lend(
        (client) => client,
        async (client) => {
          const isKnown = this.#isPooled !== undefined;
          this.#isPooled ??= await hasTransactionPooler(client, this.clientConfig);
          this.#wasWritable = await checkServer(client, this.#hasSessions);
          if (!isKnown) await this.#prepare(client);
        },
      );
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async with<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const { requestTimeout } = this.#settings;
    const prefix = this.isPooled ? null : this.#prefix;
    const manner = { pipelined: this.#isOurs, prefix, timeoutMs: requestTimeout, plansOnce: this.#hasSessions };
    try {
      return await this.#lend(
        (client) => new PostgresConnection(client, manner),
        use,
        (connection) => connection.isIdle,
      );
    } catch (error) {
      throw this.#wasWritable && isReadOnly(error) ? demoted(error) : error;
    }
  }

  join<T>(transaction: unknown, use: (connection: Connection) => Promise<T>): Promise<T> {
    return join(transaction, use);
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    // The caller's pool is the caller's to end.
    if (pool === this.#settings.pool) pool?.off("error", ignore);
    else await pool?.end();
  }

  get #isOurs(): boolean {
    return this.#settings.pool === undefined;
  }

  /**
   * Whether sessions are ours to set up. What one keeps would go to others if it were lent to them; what the caller does on his
   * connections is his business.
   */
  get #hasSessions(): boolean {
    return this.#isOurs && this.#isPooled === false;
  }

  /** What `use` has failed with is used again only if it is said to be in order. */
  async #lend<C, T>(
    take: (client: PoolClient) => C,
    use: (taken: C) => Promise<T>,
    isInOrder: (taken: C) => boolean = () => false,
  ): Promise<T> {
    const client = await this.#connect();
    const taken = take(client);
    let hasFailed = true;
    try {
      const answer = await use(taken);
      hasFailed = false;
      return answer;
    } finally {
      giveBack(client, hasFailed && !isInOrder(taken));
    }
  }

  async #connect(): Promise<PoolClient> {
    if (this.#pool === undefined) throw new Error("Cannot use a pool after calling end on the pool");
    const connecting = borrow(this.#pool);
    try {
      return await (this.#isOurs ? connecting : inTime(connecting, this.#settings.requestTimeout));
    } catch (error) {
      // The caller's own functions may be part of it: one that gets a password, for example.
      throw storageErrorOf(error) ?? connectFailed(error);
    }
  }

  #newPool(): Pool {
    const { onConnect, ...config } = this.#settings.config;
    const prepare = async (client: ClientBase): Promise<void> => {
      // The caller's may be asynchronous, whatever its type says.
      await (onConnect?.(client) as unknown);
      await this.#prepare(client);
    };
    // Idle connections do not keep the process alive.
    const defaults = { ...DEFAULTS, allowExitOnIdle: true };
    return new Pool({ ...defaults, ...config, pipeline: true, onConnect: prepare as (client: ClientBase) => void });
  }

  async #prepare(client: ClientBase): Promise<void> {
    if (this.#hasSessions) await prepareSession(client);
  }
}

/** An idle connection that has ended is replaced by the next use. */
function ignore(): void {}

/** The caller's pool may be made so that it waits for ever, and wait for a transaction that waits for this. */
async function inTime(connecting: Promise<PoolClient>, patienceMs: number): Promise<PoolClient> {
  let patience: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    patience = setTimeout(resolve, patienceMs, "late");
  });
  const client = await Promise.race([connecting, late]);
  clearTimeout(patience);
  if (client !== "late") return client;
  connecting.then(
    (unneeded) => giveBack(unneeded),
    () => {},
  );
  throw new Error("timeout exceeded when trying to connect");
}

function connectFailed(cause: unknown): StorageError {
  return new StorageError(
    "unavailable",
    "No connection to PostgreSQL could be made, for a reason that is not the server's. See the cause; it is worth another try.",
    { cause },
  );
}
