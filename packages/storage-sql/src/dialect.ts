import type { Millis, StorageError } from "@perdure/core/storage";
import type { ColumnDefinitionBuilder, CreateTableBuilder } from "kysely";
import type { SqlWords } from "./sql-words.ts";
import type { Steps } from "./steps.ts";
import type { TopicCode } from "./topics.ts";

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

  /**
   * `partial`: an index may leave rows out; it is made by a statement of its own. `inline`: an index holds all rows, and is made with
   * its table.
   */
  readonly indexes: "partial" | "inline";

  /**
   * Makes a column the primary key, with numbers that the database hands out. `forever`: none of them twice. `present`: none that a
   * row has.
   */
  identity(column: ColumnDefinitionBuilder, unique: "forever" | "present"): ColumnDefinitionBuilder;

  /** Adds the options of a new table. `clustered`: rows are kept in the order of the primary key, where that is a choice. */
  table<N extends string, C extends string>(
    table: CreateTableBuilder<N, C>,
    storage: "heap" | "clustered",
  ): CreateTableBuilder<N, C>;

  /** A migration with what it needs around it: the right to migrate alone, and a place for its tables. */
  migrating(migration: Steps<void>): Steps<void>;

  /** The time on the store's clock; a verb asks once, first thing in its transaction (I24). */
  now(): Steps<Millis>;

  /**
   * The last words of a write transaction: keeps of `now` what must be kept, and announces the topics that it woke to other
   * processes, if they are not told after the commit. `isJoined`: it is the caller's, who does not say when it commits, so this
   * process has to hear of it in the same way.
   */
  settle(now: Millis, topics: ReadonlySet<TopicCode>, isJoined: boolean): Steps<void>;

  /** What a driver's error means; undefined for an error that is not the driver's. */
  errorOf(error: unknown): StorageError | undefined;
}
