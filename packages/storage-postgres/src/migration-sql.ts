import { migrationStatements } from "@perdure/storage-sql";
import { PostgresSql } from "./dialect.ts";
import { HintSql } from "./hints.ts";
import { settingsOf } from "./options.ts";

/** What {@link migrationSql} can be told. */
export interface MigrationOptions {
  /** The schema that the tables are in. Default `perdure`. */
  readonly schema?: string;
  /** The version of the schema that is there. Default 0: there is none. */
  readonly from?: number;
}

/**
 * The SQL that `migrate: "auto"` executes, as a script for `psql`: for those whose programs may not change a schema. It is one
 * transaction; empty if `from` is the current version.
 * @throws UsageError `invalid-argument` for a schema that cannot be, or a version that this code does not know
 */
export function migrationSql({ schema, from = 0 }: MigrationOptions = {}): string {
  const settings = settingsOf(schema === undefined ? {} : { schema });
  const dialect = new PostgresSql(settings.schema, settings.clock, new HintSql(settings.schema));
  const statements = migrationStatements(dialect, from);
  if (statements.length === 0) return "";
  const place = from === 0 ? [`create schema if not exists "${settings.schema.replaceAll('"', '""')}"`] : [];
  return ["begin", ...place, ...statements, "commit"].map((statement) => `${statement};\n`).join("");
}
