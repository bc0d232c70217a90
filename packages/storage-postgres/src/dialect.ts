import type { Millis, StorageError } from "@perdure/core/storage";
import {
  type ColumnTypes,
  type Query,
  query,
  row,
  type ServerDialect,
  type ServerStatement,
  type Steps,
  type TopicCode,
  transient,
  write,
} from "@perdure/storage-sql";
import {
  type ColumnDefinitionBuilder,
  CompiledQuery,
  type CreateTableBuilder,
  type InsertQueryBuilder,
  PostgresAdapter,
  PostgresQueryCompiler,
  type SelectQueryBuilder,
  sql,
} from "kysely";
import { isConflict, storageErrorOf } from "./errors.ts";
import { hintOf, type HintSql } from "./hints.ts";
import { ManySql } from "./many.ts";

/** Texts compare byte for byte, and sort so. */
const BYTES = sql`text collate "C"`;

const TYPES: ColumnTypes = { id: BYTES, key: BYTES, payload: "text", whole: "bigint" };

/** Rows that are updated all the time leave room for their next version on the same page. */
const FILL = new Map([["perdure_tasks", 50]]);

/** SQL as PostgreSQL speaks it. */
export class PostgresSql implements ServerDialect {
  readonly kysely = {
    createAdapter: (): PostgresAdapter => new PostgresAdapter(),
    createQueryCompiler: (): PostgresQueryCompiler => new PostgresQueryCompiler(),
  };
  readonly schema: string;
  readonly types: ColumnTypes = TYPES;
  readonly indexes = "partial";
  readonly pagesBegin = "at a row";
  /** Whatever the default of the user or the database is. */
  readonly begin = {
    write: ["begin isolation level read committed"],
    read: ["begin isolation level repeatable read read only"],
  };
  readonly clock: string;
  readonly #readClock: Query<object, { now: Millis }>;
  readonly #createSchema: Query<object>;
  readonly #giveHint: Query<{ hint: string }>;
  readonly #many: ManySql;

  constructor(schema: string, clock: string, hints: HintSql) {
    this.schema = schema;
    this.clock = clock;
    this.#readClock = query((db) => db.selectNoFrom(sql<Millis>`${sql.raw(clock)}`.as("now")));
    this.#createSchema = transient((db) => ({ compile: () => sql`create schema ${sql.id(schema)}`.compile(db) }));
    this.#giveHint = query((_, { hint }) => ({ compile: () => CompiledQuery.raw(hints.give("$1::text"), [hint]) }));
    this.#many = new ManySql(this);
  }

  identity(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
    return column.primaryKey().generatedByDefaultAsIdentity();
  }

  table<N extends string, C extends string>(table: CreateTableBuilder<N, C>): CreateTableBuilder<N, C> {
    const name = table.toOperationNode().table.table.identifier.name;
    const fill = FILL.get(name);
    return fill === undefined ? table : table.modifyEnd(sql`with (fillfactor = ${sql.lit(fill)})`);
  }

  *migrating(migration: Steps<void>): Steps<void> {
    yield* write(lockMigrations, {});
    // The question first: to create a schema that is there takes the right to create others.
    const found = yield* row(findSchema, { name: this.schema });
    if (found === undefined) yield* write(this.#createSchema, {});
    yield* migration;
  }

  lock<DB, TB extends keyof DB, O>(select: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
    return select.forUpdate();
  }

  lockFree<DB, TB extends keyof DB, O>(select: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
    return select.forUpdate().skipLocked();
  }

  insertNew<DB, TB extends keyof DB, O>(insert: InsertQueryBuilder<DB, TB, O>): InsertQueryBuilder<DB, TB, O> {
    return insert.onConflict((conflict) => conflict.doNothing());
  }

  many(source: Query, args: readonly object[]): ServerStatement | undefined {
    return this.#many.statement(source, args);
  }

  *now(): Steps<Millis> {
    return (yield* row(this.#readClock, {}))!.now;
  }

  /** After a commit of its own, the adapter tells others by a connection of its own, and many at once. */
  *settle(_now: Millis, topics: ReadonlySet<TopicCode>, isJoined: boolean): Steps<void> {
    if (isJoined && topics.size > 0) yield* write(this.#giveHint, { hint: hintOf("", topics) });
  }

  isConflict(error: unknown): boolean {
    return isConflict(error);
  }

  errorOf(error: unknown): StorageError | undefined {
    return storageErrorOf(error);
  }
}

/** Any number, the same for everybody who migrates. */
const lockMigrations = query((db) => db.selectNoFrom(sql`pg_advisory_xact_lock(7265647572)`.as("locked")));

const findSchema = query((db, { name }: { name: string }) =>
  db.selectNoFrom(sql`1`.as("found")).where(sql`to_regnamespace(quote_ident(${name}))`, "is not", null),
);
