import { type Millis, StorageError } from "@perdure/core/storage";
import {
  type ColumnTypes,
  kyselyFor,
  type Query,
  query,
  row,
  type ServerDialect,
  type ServerStatement,
  type Steps,
  type TopicCode,
  write,
} from "@perdure/storage-sql";
import {
  type ColumnDefinitionBuilder,
  type Compilable,
  createQueryId,
  type CreateTableBuilder,
  type InsertQueryBuilder,
  MysqlAdapter,
  MysqlQueryCompiler,
  type SelectQueryBuilder,
  sql,
} from "kysely";
import { isConflict, storageErrorOf } from "./errors.ts";
import { lockedByKey } from "./locked-by-key.ts";
import { ManySql } from "./many.ts";
import { insertPulse, pulse } from "./pulse.ts";

/** Bytes have no collation: nothing is folded, and nothing is padded. */
const TYPES: ColumnTypes = {
  id: sql`varbinary(255)`,
  key: sql`varbinary(512)`,
  payload: sql`longtext`,
  whole: "bigint",
};

/** What is read is read by key or locked: so locks are of rows alone, never of the gaps between them. */
const READ_COMMITTED = "set transaction isolation level read committed";

/** Such names are the server's: this one tells databases apart. */
const MIGRATION_LOCK = "concat('perdure ', md5(database()))";

/** Ends what a migration that failed may have left to its connection. */
export const UNLOCK_MIGRATION = `do release_lock(${MIGRATION_LOCK})`;

export interface MysqlWords {
  /** An SQL expression for the time in epoch milliseconds. */
  readonly clock: string;
  /** Who writes the pulses of this storage. */
  readonly origin: string;
  /** Whether connections are as we make them; else each transaction has to say how isolated it is. */
  readonly isOwnSession: boolean;
  /** Characters of the longest statement. */
  readonly maxLength: number;
  /** How long to wait for somebody else who migrates. */
  readonly patienceSeconds: number;
}

/** SQL as MySQL and MariaDB speak it. */
export class MysqlSql implements ServerDialect {
  readonly kysely = {
    createAdapter: (): MysqlAdapter => new MysqlAdapter(),
    createQueryCompiler: (): MysqlQueryCompiler => new MysqlQueryCompiler(),
  };
  readonly types: ColumnTypes = TYPES;
  readonly indexes = "inline";
  readonly pagesBegin = "in a range";
  readonly begin: ServerDialect["begin"];
  readonly clock: string;
  readonly #origin: string;
  readonly #readClock: Query<object, { now: Millis }>;
  readonly #patienceSeconds: number;
  readonly #many: ManySql;
  readonly #db: ReturnType<typeof kyselyFor>;

  constructor({ clock, origin, isOwnSession, maxLength, patienceSeconds }: MysqlWords) {
    this.#origin = origin;
    this.clock = clock;
    this.begin = {
      write: [...(isOwnSession ? [] : [READ_COMMITTED]), "start transaction"],
      read: [
        "set transaction isolation level repeatable read",
        "start transaction with consistent snapshot, read only",
      ],
    };
    this.#readClock = query((db) => db.selectNoFrom(sql<Millis>`${sql.raw(clock)}`.as("now")));
    this.#many = new ManySql(this, maxLength);
    this.#patienceSeconds = patienceSeconds;
    this.#db = kyselyFor(this);
  }

  identity(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
    return column.primaryKey().autoIncrement();
  }

  /** Rows of InnoDB are always kept in the order of the primary key. */
  table<N extends string, C extends string>(table: CreateTableBuilder<N, C>): CreateTableBuilder<N, C> {
    return table.modifyEnd(sql`engine=InnoDB row_format=dynamic default charset=utf8mb4 collate=utf8mb4_bin`);
  }

  *migrating(migration: Steps<void>): Steps<void> {
    const { locked } = (yield* row(lockMigrations, { seconds: this.#patienceSeconds }))!;
    if (locked !== 1) {
      throw new StorageError(
        "unavailable",
        `Another process has been migrating this database for ${this.#patienceSeconds} seconds. Try again later.`,
      );
    }
    yield* migration;
    yield* write(unlockMigrations, {});
  }

  lock<DB, TB extends keyof DB, O>(select: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
    return select.forUpdate();
  }

  lockFree<DB, TB extends keyof DB, O>(select: SelectQueryBuilder<DB, TB, O>, among: number): Compilable<O> {
    const node = lockedByKey(select.forUpdate().skipLocked().toOperationNode(), among);
    return { compile: () => this.#db.getExecutor().compileQuery(node, createQueryId()) };
  }

  /** All else that `ignore` would let pass was checked before: lengths, characters, nulls. */
  insertNew<DB, TB extends keyof DB, O>(insert: InsertQueryBuilder<DB, TB, O>): InsertQueryBuilder<DB, TB, O> {
    return insert.ignore();
  }

  many(source: Query, args: readonly object[]): ServerStatement | undefined {
    return this.#many.statement(source, args);
  }

  *now(): Steps<Millis> {
    return (yield* row(this.#readClock, {}))!.now;
  }

  *settle(now: Millis, topics: ReadonlySet<TopicCode>, isJoined: boolean): Steps<void> {
    // This process has told its own already, but for a transaction of which it does not hear when it is committed.
    if (topics.size > 0) yield* write(insertPulse, pulse(now, isJoined ? "" : this.#origin, topics));
  }

  isConflict(error: unknown): boolean {
    return isConflict(error);
  }

  errorOf(error: unknown): StorageError | undefined {
    return storageErrorOf(error);
  }
}

const lockMigrations = query((db, { seconds }: { seconds: number }) =>
  db.selectNoFrom(sql<number | null>`get_lock(${sql.raw(MIGRATION_LOCK)}, ${seconds})`.as("locked")),
);

const unlockMigrations = query((db) => ({ compile: () => sql.raw(UNLOCK_MIGRATION).compile(db) }));
