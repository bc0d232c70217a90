import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { Shop } from "../../storage-sql/test/users-place.ts";
import { type ShopTransaction, take } from "../../storage-sql/test/users-shop.ts";

/** Has the server roll a transaction back that has taken a pen and nothing else; throws what the server says. */
export async function deadlock(tx: ShopTransaction, db: Kysely<Shop>): Promise<never> {
  const error = await db.transaction().execute(async (other) => {
    // Whoever has written less is the victim.
    const items = Array.from({ length: 30 }, (_, index) => ({ item: `${index} ${Math.random()}`, in_stock: 1 }));
    await other.insertInto("stock").values(items).execute();
    await lock(other, "ink");
    const waiting = lock(other, "pen");
    await sleep(30);
    const answer = await take(tx, "ink").catch((reason: unknown) => reason);
    await waiting;
    return answer;
  });
  throw error;
}

async function lock(tx: ShopTransaction, item: string): Promise<void> {
  await tx.selectFrom("stock").selectAll().where("item", "=", item).forUpdate().execute();
}
