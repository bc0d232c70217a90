import type { Shop, ShopTransaction } from "./tables.ts";

/** Does a piece of work in a transaction. Its type is how activities know what their `tx` is. */
export type InTransaction = <T>(run: (tx: ShopTransaction) => Promise<T>) => Promise<T>;

/** Written once, used by everybody. READ COMMITTED is PostgreSQL's default, and on MySQL the one that locks least. */
export function transactionsOf(shop: Shop): InTransaction {
  return (run) => shop.transaction().setIsolationLevel("read committed").execute(run);
}
