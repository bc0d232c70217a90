import type { Dialect, InsertQueryBuilder, SelectQueryBuilder } from "kysely";

/** The part of a dialect that queries are written in. */
export interface SqlWords {
  /** How kysely writes its SQL. */
  readonly kysely: Pick<Dialect, "createAdapter" | "createQueryCompiler">;
  /** Locks the rows that a query finds until the transaction ends, where being in a write transaction does not do so. */
  lock<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>;

  /** Makes an insert do nothing where a row with one of its keys is there. */
  insertNew<DB, TB extends keyof DB, O>(query: InsertQueryBuilder<DB, TB, O>): InsertQueryBuilder<DB, TB, O>;
}
