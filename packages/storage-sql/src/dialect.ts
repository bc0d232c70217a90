import type { Millis, StorageError } from "@perdure/core/storage";
import type { ColumnDefinitionBuilder, CreateTableBuilder } from "kysely";
import type { SqlWords } from "./sql-words.ts";
import type { Steps } from "./steps.ts";

type DataType = Parameters<CreateTableBuilder<string>["addColumn"]>[1];

/** How a dialect names the types of columns. Texts compare byte for byte (I22). */
export interface ColumnTypes {
  /** 1 … 255 UTF-8 bytes. */
  readonly id: DataType;
  /** 1 … 512 UTF-8 bytes. */
  readonly key: DataType;
  /** Any payload. */
  readonly payload: DataType;
  /** Whole numbers up to 2^53. */
  readonly whole: DataType;
}

/**
 * What the shared SQL needs to know of a database, beyond what kysely knows. A member transforms a query, names a type or
 * classifies an error; none implements an operation.
 */
export interface SqlDialect extends SqlWords {
  readonly types: ColumnTypes;

  /** Makes a column the primary key, with numbers that the database hands out, none of them twice. */
  identity(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;

  /** Adds the options of a new table. `clustered`: rows are kept in the order of the primary key, where that is a choice. */
  table<N extends string, C extends string>(
    table: CreateTableBuilder<N, C>,
    storage: "heap" | "clustered",
  ): CreateTableBuilder<N, C>;

  /** The time on the store's clock; a verb asks once, first thing in its transaction (I24). */
  now(): Steps<Millis>;

  /**
   * The last words of a write transaction: keeps of `now` what must be kept, and announces the topics that it woke to other
   * processes, if they are not told after the commit.
   */
  settle(now: Millis, topics: ReadonlySet<number>): Steps<void>;

  /** What a driver's error means; undefined for an error that is not the driver's. */
  errorOf(error: unknown): StorageError | undefined;
}
