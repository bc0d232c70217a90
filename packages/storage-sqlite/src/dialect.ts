import type { Millis, StorageError } from "@perdure/core/storage";
import type { ColumnTypes, SqlDialect, Steps, TopicCode } from "@perdure/storage-sql";
import {
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type InsertQueryBuilder,
  type SelectQueryBuilder,
  sql,
  SqliteAdapter,
} from "kysely";
import { storageErrorOf } from "./errors.ts";
import type { PulseClock } from "./pulse-clock.ts";
import { SteadyQueryCompiler } from "./query-compiler.ts";

const TYPES: ColumnTypes = { id: "text", key: "text", payload: "text", whole: "integer" };

/** SQL as SQLite speaks it. */
export class SqliteSql implements SqlDialect {
  readonly kysely = {
    createAdapter: (): SqliteAdapter => new SqliteAdapter(),
    createQueryCompiler: (): SteadyQueryCompiler => new SteadyQueryCompiler(),
  };
  readonly types: ColumnTypes = TYPES;
  readonly indexes = "partial";
  readonly pagesBegin = "at a row";
  readonly #path: string;
  readonly #clock: PulseClock;

  constructor(path: string, clock: PulseClock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Every integer key is numbered; one without this word costs less. */
  identity(column: ColumnDefinitionBuilder, unique: "forever" | "present"): ColumnDefinitionBuilder {
    return unique === "forever" ? column.primaryKey().autoIncrement() : column.primaryKey();
  }

  table<N extends string, C extends string>(
    table: CreateTableBuilder<N, C>,
    storage: "heap" | "clustered",
  ): CreateTableBuilder<N, C> {
    return table.modifyEnd(storage === "heap" ? sql`strict` : sql`strict, without rowid`);
  }

  /** A write transaction is alone. */
  migrating(migration: Steps<void>): Steps<void> {
    return migration;
  }

  lock<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
    return query;
  }

  lockFree<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
    return query;
  }

  insertNew<DB, TB extends keyof DB, O>(query: InsertQueryBuilder<DB, TB, O>): InsertQueryBuilder<DB, TB, O> {
    return query.onConflict((conflict) => conflict.doNothing());
  }

  now(): Steps<Millis> {
    return this.#clock.now();
  }

  settle(now: Millis, topics: ReadonlySet<TopicCode>): Steps<void> {
    return this.#clock.settle(now, topics);
  }

  errorOf(error: unknown): StorageError | undefined {
    return storageErrorOf(this.#path, error);
  }
}
