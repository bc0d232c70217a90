import { activity, signal, type TransactionalContext, workflow } from "@perdure/core";
import type { IsolationLevel, Kysely, Transaction } from "kysely";
import type { Shop } from "./users-place.ts";

export type ShopTransaction = Transaction<Shop>;

/** Makes transactions that are so isolated; without a level, as the server does. */
export function isolated(db: Kysely<Shop>, level?: IsolationLevel) {
  const begin = level === undefined ? db.transaction() : db.transaction().setIsolationLevel(level);
  return <T>(run: (tx: ShopTransaction) => Promise<T>) => begin.execute(run);
}

export const paid = signal<string>("paid");

type Code = (item: string, context: TransactionalContext<ShopTransaction>) => Promise<unknown>;

/** An order: a transactional activity takes one piece from the stock, and then does what `code` says; a signal ends it. */
export function selling(db: Kysely<Shop>, code: Code = async () => {}, transaction = isolated(db)) {
  const reserve = activity(
    { name: "reserve", transaction, retry: { delay: "20ms" } },
    async (item: string, context) => {
      await take(context.tx, item);
      await code(item, context);
      return context.attempt;
    },
  );
  const order = workflow({ name: "order" }, async (ctx, item: string) => {
    const attempt = await ctx.run(reserve, item);
    return `${item}, reserved by attempt ${attempt}, paid by ${await ctx.waitFor(paid)}`;
  });
  return { order, reserve };
}

export type Selling = ReturnType<typeof selling>;

/** Takes one piece of an item. */
export async function take(db: Kysely<Shop>, item: string): Promise<void> {
  await db
    .updateTable("stock")
    .set((row) => ({ in_stock: row("in_stock", "-", 1) }))
    .where("item", "=", item)
    .execute();
}

/** How many pieces of an item are left. */
export async function left(db: Kysely<Shop>, item: string): Promise<number> {
  const row = await db.selectFrom("stock").select("in_stock").where("item", "=", item).executeTakeFirstOrThrow();
  return row.in_stock;
}
