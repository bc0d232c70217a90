import type { Compilable, Dialect, InsertQueryBuilder, SelectQueryBuilder } from "kysely";

/** The part of a dialect that queries are written in. */
export interface SqlWords {
  /** How kysely writes its SQL. */
  readonly kysely: Pick<Dialect, "createAdapter" | "createQueryCompiler">;
  /** The schema that the tables are in, where it has to be named. */
  readonly schema?: string;
  /** An SQL expression for the time in epoch milliseconds, where the server has one: it can be asked along with something else. */
  readonly clock?: string;
  /**
   * What takes an index to where a page begins: a comparison of rows, or ranges of all of its columns. MySQL does not look rows up, and
   * where a column is equal to a value it goes to the first row of that value and walks from there.
   */
  readonly pagesBegin: "at a row" | "in a range";
  /** Locks the rows that a query finds until the transaction ends, where being in a write transaction does not do so. */
  lock<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>;

  /**
   * As `lock`, for a query of tasks with a limit, but passes over rows that somebody else has locked: they are about to change hands.
   * It locks no row that it does not find, and may look for free ones among the first `among` rows only.
   */
  lockFree<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>, among: number): Compilable<O>;

  /** Makes an insert do nothing where a row with one of its keys is there. */
  insertNew<DB, TB extends keyof DB, O>(query: InsertQueryBuilder<DB, TB, O>): InsertQueryBuilder<DB, TB, O>;
}
