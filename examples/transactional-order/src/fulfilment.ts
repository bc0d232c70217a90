import { activity, NonRetryableError, signal, workflow } from "@perdure/core";
import { z } from "zod";
import type { InTransaction } from "./transactions.ts";

const placed = z.object({ orderId: z.string(), item: z.string(), pieces: z.number().int().positive() });

/** What a customer orders. */
export type Placed = z.infer<typeof placed>;

/** Sent with the row that says so. */
export const paid = signal("paid", z.object({ receipt: z.string() }));

/** What happens to an order, and the activities of it. They write in the shop's own tables. */
export function fulfilmentWith(transaction: InTransaction) {
  const reserveStock = activity(
    { name: "reserve-stock", transaction, input: placed },
    async ({ orderId, item, pieces }, { tx }) => {
      await tx
        .updateTable("stock")
        .set((row) => ({ pieces: row("pieces", "-", pieces) }))
        .where("item", "=", item)
        .execute();
      const { pieces: left } = await tx
        .selectFrom("stock")
        .select("pieces")
        .where("item", "=", item)
        .executeTakeFirstOrThrow();
      if (left < 0) throw new NonRetryableError(`There are not ${pieces} of item ${item}.`); // rolls back
      await tx
        .updateTable("orders")
        .set({ status: "reserved" })
        .where("id", "=", orderId)
        .where("status", "=", "placed")
        .execute();
      return left;
    },
  );

  const ship = activity({ name: "ship", transaction }, async (orderId: string, { tx }) => {
    await tx.updateTable("orders").set({ status: "shipped" }).where("id", "=", orderId).execute();
  });

  const fulfilment = workflow({ name: "fulfilment", input: placed }, async (ctx, order) => {
    const left = await ctx.run(reserveStock, order);
    const { receipt } = await ctx.waitFor(paid, { timeout: "7d" });
    await ctx.run(ship, order.orderId);
    return { left, receipt };
  });

  return { fulfilment, activities: [reserveStock, ship] };
}

export type Fulfilment = ReturnType<typeof fulfilmentWith>["fulfilment"];
