import { UsageError } from "@perdure/core/storage";
import type { PoolConnection } from "mysql2/promise";
import { type CallersPool, poolOf } from "./client.ts";

/**
 * Makes transactions on connections of a pool of yours. What it answers has a function do its work in one: begins it, calls the
 * function with the connection, commits when that has resolved and rolls back when it has rejected; then answers or throws what the
 * function did. A connection that does not roll back is closed.
 *
 * @example
 * ```ts
 * const reserve = activity({ name: "reserve", transaction: inTransaction(pool) }, async (item: string, { tx }) => {
 *   await tx.query("update stock set in_stock = in_stock - 1 where item = ?", [item]);
 * });
 * ```
 * @throws UsageError `invalid-argument` for what is no pool of mysql2.
 */
export function inTransaction(callersPool: CallersPool): <T>(run: (tx: PoolConnection) => Promise<T>) => Promise<T> {
  const pool = poolOf(callersPool)?.promise();
  if (pool === undefined) {
    throw new UsageError("invalid-argument", "inTransaction takes a pool of mysql2, such as createPool makes.");
  }
  return async (run) => {
    const connection = await pool.getConnection();
    let isIdle = false;
    try {
      await connection.beginTransaction();
      const answer = await run(connection);
      await connection.commit();
      isIdle = true;
      return answer;
    } catch (error) {
      isIdle = await connection.rollback().then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      if (isIdle) connection.release();
      else connection.destroy();
    }
  };
}
