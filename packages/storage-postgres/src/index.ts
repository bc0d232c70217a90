/** Perdure storage in PostgreSQL. */
import type { StorageBackend } from "@perdure/core/storage";
import { SqlBackend } from "@perdure/storage-sql";
import { type PostgresOptions, settingsOf } from "./options.ts";
import { partsOf } from "./parts.ts";

export { inTransaction } from "./in-transaction.ts";
export { type MigrationOptions, migrationSql } from "./migration-sql.ts";
export type { PostgresOptions } from "./options.ts";

/**
 * A store in a schema of a PostgreSQL database, which any number of processes on any number of machines may share. The first use
 * connects; whoever made the storage closes it.
 *
 * @example
 * ```ts
 * const storage = postgres("postgres://app@db.example.com/orders");
 * ```
 * @throws UsageError `invalid-argument` for options that cannot be.
 */
export function postgres(urlOrOptions: string | PostgresOptions): StorageBackend {
  return new SqlBackend(partsOf(settingsOf(urlOrOptions)));
}
