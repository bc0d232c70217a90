import { migrationStatements } from "@perdure/storage-sql";
import { MysqlSql } from "./dialect.ts";

/** What {@link migrationSql} can be told. */
export interface MigrationOptions {
  /** The version of the schema that is there. Default 0: there is none. */
  readonly from?: number;
}

/**
 * The SQL that `migrate: "auto"` executes, as a script for `mysql` and for the database that the tables are in: for those whose
 * programs may not change a schema. It may be run again after it was interrupted; it is empty if `from` is the current version.
 * @throws UsageError `invalid-argument` for a version that this code does not know
 */
export function migrationSql({ from = 0 }: MigrationOptions = {}): string {
  const dialect = new MysqlSql({ clock: "0", origin: "", isOwnSession: true, maxLength: 0, patienceSeconds: 0 });
  return migrationStatements(dialect, from)
    .map((statement) => `${statement};\n`)
    .join("");
}
