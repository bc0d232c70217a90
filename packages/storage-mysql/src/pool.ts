import { StorageError } from "@perdure/core/storage";
import type { Connection, ConnectionPool, ServerStatement } from "@perdure/storage-sql";
import { createPool, type Pool, type PoolConnection, type PoolOptions } from "mysql2";
import { keepAlive, poolOf } from "./client.ts";
import { type Bounds, MysqlConnection } from "./connection.ts";
import { UNLOCK_MIGRATION } from "./dialect.ts";
import { join } from "./joined-connection.ts";
import type { Settings } from "./options.ts";
import { checkServer } from "./server-check.ts";
import { checkSession, IDLE_MS, SESSION } from "./session.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** How long the server has to say goodbye. */
const CLOSE_TIMEOUT_MS = 1_000;

/** What brings a connection in order with which something failed. */
const TIDY = ["rollback", UNLOCK_MIGRATION].map(plain);

/** The connections of a store, of its own or of the caller's pool. */
export class MysqlPool implements ConnectionPool {
  readonly #settings: Settings;
  readonly #isOwn: boolean;
  readonly #bounds: Bounds;
  #pool: Pool | undefined;
  /** Connections that are ready for use, and when they were last used. */
  readonly #usedAt = new Map<PoolConnection, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#isOwn = "connect" in settings.server;
    this.#bounds = { maxBytes: settings.maxAllowedPacket, requestTimeout: settings.requestTimeout };
  }

  async open(): Promise<void> {
    const { server } = this.#settings;
    this.#pool = "connect" in server ? this.#newPool(server.connect) : poolOf(server.pool);
    try {
      await this.with((connection) => checkServer(connection, this.#settings));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async with<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#take();
    const connection = new MysqlConnection(client, this.#bounds);
    try {
      const answer = await use(connection);
      this.#give(client);
      return answer;
    } catch (error) {
      await connection.send(TIDY).then(
        () => this.#give(client),
        () => this.#drop(client),
      );
      throw error;
    }
  }

  join<T>(transaction: unknown, use: (connection: Connection) => Promise<T>): Promise<T> {
    return join(transaction, this.#bounds, use);
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    const clients = [...this.#usedAt.keys()];
    this.#pool = undefined;
    this.#usedAt.clear();
    // The caller's pool is the caller's to end.
    if (pool === undefined || !this.#isOwn) return;
    await new Promise<void>((resolve) => {
      const enough = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      pool.end(() => {
        clearTimeout(enough);
        resolve();
      });
    });
    for (const client of clients) client.destroy();
  }

  #newPool(connect: PoolOptions): Pool {
    return createPool({
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...connect,
      connectionLimit: this.#settings.maxConnections,
      charset: "utf8mb4_bin",
      multipleStatements: true,
      flags: ["-LOCAL_FILES"],
      enableKeepAlive: true,
      trace: false,
    });
  }

  async #take(): Promise<PoolConnection> {
    for (;;) {
      const client = await this.#lend();
      if (this.#isOwn) keepAlive(client, true);
      const usedAt = this.#usedAt.get(client);
      if (usedAt === undefined) return await this.#prepared(client);
      if (!this.#isOwn || performance.now() - usedAt < IDLE_MS) return client;
      this.#drop(client);
    }
  }

  /** A connection that is free, or a new one. */
  #lend(): Promise<PoolConnection> {
    const pool = this.#pool;
    const { requestTimeout } = this.#settings;
    return new Promise((resolve, reject) => {
      if (pool === undefined) return reject(new Error("Pool is closed."));
      let isLate = false;
      const late = setTimeout(() => {
        isLate = true;
        reject(noneFree(requestTimeout));
      }, requestTimeout);
      pool.getConnection((error: Error | null, client: PoolConnection) => {
        clearTimeout(late);
        if (error !== null) reject(error);
        else if (isLate) this.#give(client);
        else resolve(client);
      });
    });
  }

  /** A connection that was not used before. */
  async #prepared(client: PoolConnection): Promise<PoolConnection> {
    // It is missed when it is needed.
    client.on("error", () => this.#usedAt.delete(client));
    client.on("end", () => this.#usedAt.delete(client));
    const connection = new MysqlConnection(client, this.#bounds);
    try {
      if (this.#isOwn) await connection.send(SESSION.map(plain));
      else await checkSession(connection);
    } catch (error) {
      this.#drop(client);
      throw error;
    }
    this.#usedAt.set(client, 0);
    return client;
  }

  #give(client: PoolConnection): void {
    if (this.#usedAt.has(client)) this.#usedAt.set(client, performance.now());
    // A storage that nobody closed ends with its process.
    if (this.#isOwn) keepAlive(client, false);
    client.release();
  }

  #drop(client: PoolConnection): void {
    this.#usedAt.delete(client);
    client.destroy();
  }
}

function plain(sql: string): ServerStatement {
  return { sql, values: [] };
}

function noneFree(requestTimeout: number): StorageError {
  return new StorageError(
    "unavailable",
    `All connections to MySQL were in use for ${requestTimeout} ms. Try again later, or raise maxConnections.`,
  );
}
