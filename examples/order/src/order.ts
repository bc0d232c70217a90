import { signal, workflow } from "@perdure/core";
import { z } from "zod";
import { bookCourier, chargeCard, handOver, packParcel, reserveStock } from "./activities.ts";

/** Sent by whoever may approve orders. */
export const approved = signal("approved", z.object({ by: z.string() }));

/** Brings one parcel to its courier. A child of the order. */
export const shipment = workflow(
  { name: "shipment", input: z.object({ grams: z.number().positive() }) },
  async (ctx, { grams }) => {
    const { tracking } = await ctx.run(bookCourier, { grams });
    await ctx.sleep("1s"); // until the courier is at the door
    await ctx.run(handOver, { tracking });
    return { tracking };
  },
);

/** One order, from the card to the courier. */
export const order = workflow(
  { name: "order", input: z.object({ items: z.number().int().positive(), cents: z.number().int().positive() }) },
  async (ctx, { items, cents }) => {
    await ctx.run(reserveStock, { items });
    const { receipt } = await ctx.run(chargeCard, { cents });
    await ctx.sleep("1s"); // for second thoughts
    const { by } = await ctx.waitFor(approved, { timeout: "1h" });
    const { grams } = await ctx.run(packParcel, { items });
    const { tracking } = await ctx.child(shipment, { grams }, { id: `${ctx.runId}-shipment` });
    return { receipt, approvedBy: by, tracking };
  },
);
