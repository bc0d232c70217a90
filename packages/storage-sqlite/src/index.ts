/** Perdure storage in one SQLite file. */
import type { StorageBackend } from "@perdure/core/storage";
import { SqlBackend } from "@perdure/storage-sql";
import { SqliteSql } from "./dialect.ts";
import { SqliteDriver } from "./driver.ts";
import { infoOf } from "./info.ts";
import { settingsOf, type SqliteOptions } from "./options.ts";
import { PulseClock } from "./pulse-clock.ts";
import { SqliteSignals } from "./signals.ts";

export type { SqliteOptions } from "./options.ts";

/**
 * A store in a SQLite file, which any number of processes of one machine may share. The file is opened by the first use; whoever
 * made the storage closes it.
 *
 * @example
 * ```ts
 * const storage = sqlite("perdure.db");
 * ```
 * @throws UsageError `invalid-argument` for options that cannot be.
 */
export function sqlite(pathOrOptions: string | SqliteOptions): StorageBackend {
  const settings = settingsOf(pathOrOptions);
  const clock = new PulseClock(settings.clock);
  const dialect = new SqliteSql(settings.path, clock);
  const driver = new SqliteDriver(settings, dialect, () => clock.forget());
  const signals = new SqliteSignals(driver, clock);
  const { namespace, migrate, busyTimeout: patienceMs } = settings;
  return new SqlBackend({ info: infoOf(settings), namespace, migrate, patienceMs, dialect, driver, signals });
}
