import { StorageError } from "@perdure/core/storage";
import type { Pool, PoolClient } from "pg";
import { borrow, giveBack } from "./lending.ts";

/**
 * Makes transactions on connections of a pool of yours. What it answers has a function do its work in one: begins it, calls the
 * function with the connection, commits when that has resolved and rolls back when it has rejected; then answers or throws what the
 * function did. A connection that does not roll back is closed.
 *
 * @example
 * ```ts
 * const reserve = activity({ name: "reserve", transaction: inTransaction(pool) }, async (item: string, { tx }) => {
 *   await tx.query("update stock set in_stock = in_stock - 1 where item = $1", [item]);
 * });
 * ```
 * @throws StorageError `unavailable`, from what it answers: the function has resolved although a statement had failed, and nothing
 * was committed.
 */
export function inTransaction(pool: Pool): <T>(run: (tx: PoolClient) => Promise<T>) => Promise<T> {
  return async (run) => {
    const client = await borrow(pool);
    let isIdle = false;
    try {
      await client.query("begin");
      const answer = await run(client);
      const { command } = await client.query("commit");
      if (command !== "COMMIT") throw notCommitted();
      isIdle = true;
      return answer;
    } catch (error) {
      isIdle = await client.query("rollback").then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      giveBack(client, !isIdle);
    }
  };
}

/** So the server answers to a commit after an error that nobody threw on. */
function notCommitted(): StorageError {
  return new StorageError(
    "unavailable",
    "The transaction was rolled back instead of committed, because a statement in it had failed. Let that statement's error through.",
  );
}
