/** Perdure storage in MySQL or MariaDB. */
import { randomBytes } from "node:crypto";
import type { StorageBackend } from "@perdure/core/storage";
import { PulseSignals, ServerDriver, SqlBackend } from "@perdure/storage-sql";
import { MysqlSql } from "./dialect.ts";
import { infoOf } from "./info.ts";
import { type MysqlOptions, settingsOf } from "./options.ts";
import { MysqlPool } from "./pool.ts";

export { inTransaction } from "./in-transaction.ts";
export { type MigrationOptions, migrationSql } from "./migration-sql.ts";
export type { MysqlOptions } from "./options.ts";

/**
 * A store in a database of MySQL 8.0 or MariaDB 10.6, or newer, which any number of processes on any number of machines may share.
 * The first use connects; whoever made the storage closes it.
 *
 * @example
 * ```ts
 * const storage = mysql("mysql://app@db.example.com/orders");
 * ```
 * @throws UsageError `invalid-argument` for options that cannot be.
 */
export function mysql(urlOrOptions: string | MysqlOptions): StorageBackend {
  const settings = settingsOf(urlOrOptions);
  const { clock, namespace, migrate, maxAllowedPacket, requestTimeout, server } = settings;
  const origin = randomBytes(6).toString("hex");
  const pool = new MysqlPool(settings);
  const dialect = new MysqlSql({
    clock,
    origin,
    isOwnSession: "connect" in server,
    maxLength: maxAllowedPacket / 3,
    patienceSeconds: Math.ceil(requestTimeout / 2000),
  });
  const driver = new ServerDriver(dialect, pool);
  const signals = new PulseSignals(pool, "perdure_pulse", origin);
  const patienceMs = requestTimeout;
  return new SqlBackend({ info: infoOf(settings), namespace, migrate, patienceMs, dialect, driver, signals });
}
