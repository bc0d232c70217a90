import { randomBytes } from "node:crypto";
import { ServerDriver, type SqlBackendOptions } from "@perdure/storage-sql";
import { PostgresSql } from "./dialect.ts";
import { HintSql } from "./hints.ts";
import { INFO } from "./info.ts";
import type { Settings } from "./options.ts";
import { PostgresPool } from "./pool.ts";
import { PostgresShortcuts } from "./shortcuts.ts";
import { PostgresSignals } from "./signals.ts";

/** What a store in PostgreSQL is made of. */
export function partsOf(settings: Settings): SqlBackendOptions {
  const { schema, clock, namespace, migrate, requestTimeout: patienceMs } = settings;
  const hints = new HintSql(schema);
  const pool = new PostgresPool(settings);
  const dialect = new PostgresSql(schema, clock, hints);
  const driver = new ServerDriver(dialect, pool);
  const signals = new PostgresSignals(pool, hints, randomBytes(6).toString("hex"));
  const shortcuts = new PostgresShortcuts(pool, driver, schema, clock);
  return { info: INFO, namespace, migrate, patienceMs, dialect, driver, signals, shortcuts };
}
