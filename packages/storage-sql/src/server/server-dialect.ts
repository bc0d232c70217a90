import type { SqlDialect } from "../dialect.ts";
import type { Query } from "../query.ts";
import type { Statement } from "./connection.ts";

/** What a server's SQL has beyond what a verb needs: transactions, and one statement for many executions. */
export interface ServerDialect extends SqlDialect {
  /** Statements that begin a transaction: one that writes and sees what others commit meanwhile, or one that reads one moment. */
  readonly begin: { readonly write: readonly string[]; readonly read: readonly string[] };

  /**
   * One statement that does what `query` does for each of these arguments (two at least), or undefined where there is none. Rows say
   * in {@link POSITION} for which of them they are.
   */
  many(query: Query, args: readonly object[]): Statement | undefined;

  /** Whether the server gave a transaction up that is as good as any: it is to be tried again. */
  isConflict(error: unknown): boolean;
}

/** The column in which a row of {@link ServerDialect.many} says for which arguments it is: from 0. */
export const POSITION = "position_";
