import { StorageError } from "@perdure/core/storage";
import type { CompiledQuery, Kysely } from "kysely";
import type { SqlDialect } from "../dialect.ts";
import { query, transient } from "../query.ts";
import { change, row, type Steps } from "../steps.ts";
import { createTables } from "./create-tables.ts";
import type { Tables } from "./tables.ts";

/** What brings a schema from one version to the next: version n is what the first n of these make. */
const MIGRATIONS: readonly ((db: Kysely<Tables>, dialect: SqlDialect) => readonly CompiledQuery[])[] = [createTables];

/** The version of the schema that this code reads and writes. */
const SCHEMA_VERSION = MIGRATIONS.length;

/** Creates the schema or brings it up to date; nothing to do is fine. In one transaction, under its lock (I25). */
export function* migrate(db: Kysely<Tables>, dialect: SqlDialect): Steps<void> {
  yield* change(createMeta(dialect), {});
  const version = Number((yield* row(findVersion, {}))?.value ?? 0);
  refuseNewer(version);
  if (version === SCHEMA_VERSION) return;
  for (const migration of MIGRATIONS.slice(version)) {
    for (const statement of migration(db, dialect))
      yield* change(
        transient(() => ({ compile: () => statement })),
        {},
      );
  }
  yield* change(deleteVersion, {});
  yield* change(insertVersion, { value: String(SCHEMA_VERSION) });
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

const createMeta = (dialect: SqlDialect) =>
  transient((db) =>
    dialect.table(
      db.schema
        .createTable("perdure_meta")
        .ifNotExists()
        .addColumn("key", dialect.types.id, (c) => c.primaryKey().notNull())
        .addColumn("value", dialect.types.id, (c) => c.notNull()),
      "clustered",
    ),
  );

const findVersion = query((db) => db.selectFrom("perdure_meta").select("value").where("key", "=", "schema"));

const deleteVersion = query((db) => db.deleteFrom("perdure_meta").where("key", "=", "schema"));

const insertVersion = query((db, args: { value: string }) =>
  db.insertInto("perdure_meta").values({ key: "schema", value: args.value }),
);
