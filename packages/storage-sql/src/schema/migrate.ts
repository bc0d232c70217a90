import { StorageError, UsageError } from "@perdure/core/storage";
import { type CompiledQuery, type Kysely, sql } from "kysely";
import type { SqlDialect } from "../dialect.ts";
import { kyselyFor, query, transient } from "../query.ts";
import { row, type Steps, write } from "../steps.ts";
import { createTables } from "./create-tables.ts";
import type { Tables } from "./tables.ts";

/** What brings a schema from one version to the next: version n is what the first n of these make. */
const MIGRATIONS: readonly ((db: Kysely<Tables>, dialect: SqlDialect) => readonly CompiledQuery[])[] = [createTables];

/** The version of the schema that this code reads and writes. */
const SCHEMA_VERSION = MIGRATIONS.length;

/** Creates the schema or brings it up to date; nothing to do is fine. In one transaction, under its lock (I25). */
export function* migrate(db: Kysely<Tables>, dialect: SqlDialect): Steps<void> {
  yield* execute(createMeta(db, dialect));
  const version = Number((yield* row(findVersion, {}))?.value ?? 0);
  refuseNewer(version);
  for (const statement of statementsAfter(version, db, dialect)) yield* execute(statement);
}

/**
 * What {@link migrate} executes on a schema of version `from`, for somebody who does it by hand: SQL statements without parameters. 0:
 * there are no tables yet. None if that version is the current one.
 * @throws UsageError `invalid-argument` for a version that this code does not know
 */
export function migrationStatements(dialect: SqlDialect, from = 0): readonly string[] {
  if (!Number.isInteger(from) || from < 0 || from > SCHEMA_VERSION) {
    throw new UsageError(
      "invalid-argument",
      `There is no migration from schema version ${from}. Give a whole number from 0 to ${SCHEMA_VERSION}.`,
      { details: { field: "from" } },
    );
  }
  const db = kyselyFor(dialect);
  const first = from === 0 ? [createMeta(db, dialect)] : [];
  return [...first, ...statementsAfter(from, db, dialect)].map((statement) => statement.sql);
}

/**
 * Whether the schema is the one that this code works with. Where there is none at all, the driver's error says so.
 * @throws StorageError `schema-version` for a newer one.
 */
export function* isUpToDate(): Steps<boolean> {
  const version = Number((yield* row(findVersion, {}))?.value ?? 0);
  refuseNewer(version);
  return version === SCHEMA_VERSION;
}

/** The error for a store that has to be migrated by somebody who may. */
export function outdated(cause?: unknown): StorageError {
  return new StorageError(
    "schema-version",
    `The store has no schema or one older than version ${SCHEMA_VERSION}, and migrate: "check" does not change it. ` +
      `Run setup() once with migrate: "auto".`,
    { details: { expected: SCHEMA_VERSION }, cause },
  );
}

function refuseNewer(version: number): void {
  if (version <= SCHEMA_VERSION) return;
  throw new StorageError(
    "schema-version",
    `The store has schema version ${version}, and this code knows versions up to ${SCHEMA_VERSION}. ` +
      "Update the @perdure packages of this program.",
    { details: { found: version, expected: SCHEMA_VERSION } },
  );
}

function statementsAfter(version: number, db: Kysely<Tables>, dialect: SqlDialect): readonly CompiledQuery[] {
  if (version === SCHEMA_VERSION) return [];
  return [...MIGRATIONS.slice(version).flatMap((migration) => migration(db, dialect)), ...setVersion(db)];
}

function execute(statement: CompiledQuery): Steps<void> {
  return write(
    transient(() => ({ compile: () => statement })),
    {},
  );
}

const KEY = sql.lit("schema");

function createMeta(db: Kysely<Tables>, dialect: SqlDialect): CompiledQuery {
  const table = db.schema
    .createTable("perdure_meta")
    .ifNotExists()
    .addColumn("key", dialect.types.id, (c) => c.primaryKey().notNull())
    .addColumn("value", dialect.types.id, (c) => c.notNull());
  return dialect.table(table, "clustered").compile();
}

function setVersion(db: Kysely<Tables>): readonly CompiledQuery[] {
  const value = sql.lit(String(SCHEMA_VERSION));
  return [
    db.deleteFrom("perdure_meta").where("key", "=", KEY).compile(),
    db.insertInto("perdure_meta").values({ key: KEY, value }).compile(),
  ];
}

const findVersion = query((db) => db.selectFrom("perdure_meta").select("value").where("key", "=", KEY));
