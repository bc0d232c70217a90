import { isPerdureError, workflow } from "@perdure/core";
import { z } from "zod";
import { bookCourier, charge, pack, refund, release, reserve, sendMail } from "./activities.ts";

/** Text such as `"30m"` or `"250ms"`. */
const duration = z.templateLiteral([z.number(), z.enum(["ms", "s", "m", "h", "d", "w"])]);
const item = z.object({ sku: z.string(), quantity: z.number().int().positive() });

/** What is known about an order so far; anybody may read it through the run's handle. */
export interface OrderState {
  readonly status: "new" | "reserved" | "paid" | "declined" | "withdrawn" | "shipped";
  readonly cents: number;
  readonly receipt: string | null;
  readonly tracking: string | null;
}

const initial: OrderState = { status: "new", cents: 0, receipt: null, tracking: null };

/** From the basket to the courier, step by step. What one step finds out, later ones read in the state. */
export const order = workflow({
  name: "order",
  description: "From the basket to the courier.",
  input: z.object({ customer: z.email(), items: z.array(item).min(1), secondThoughts: duration.default("30m") }),
  state: { initial },
  steps: (step) => [
    step("reserve", async (ctx, { items }) => {
      const prices = await Promise.all(items.map((one) => ctx.run(reserve, one)));
      ctx.state.update(() => ({ status: "reserved", cents: prices.reduce((sum, { cents }) => sum + cents, 0) }));
    }),

    // A card that is declined is no reason to keep things from others: the run fails, and leaves nothing reserved.
    step("pay", async (ctx, { customer, items }) => {
      try {
        const { receipt } = await ctx.run(charge, { customer, cents: ctx.state.get("cents") });
        ctx.state.update(() => ({ status: "paid", receipt }));
      } catch (error) {
        if (isPerdureError(error, "activity-failed")) {
          await Promise.all(items.map((one) => ctx.run(release, one)));
          ctx.state.set("status", "declined");
        }
        throw error;
      }
    }),

    // Whoever cancels the run in time gets the money back.
    step("second-thoughts", async (ctx, { customer, items, secondThoughts }) => {
      try {
        await ctx.sleep(secondThoughts);
      } catch (error) {
        if (isPerdureError(error, "cancelled")) {
          await ctx.run(refund, { customer, cents: ctx.state.get("cents") });
          await Promise.all(items.map((one) => ctx.run(release, one)));
          ctx.state.set("status", "withdrawn");
        }
        throw error;
      }
    }),

    step("ship", async (ctx, { customer, items }) => {
      const [{ grams }] = await Promise.all([
        ctx.run(pack, { customer, items: items.length }),
        ctx.run(sendMail, { customer, about: "your parcel" }),
      ]);
      const { tracking } = await ctx.run(bookCourier, { customer, grams });
      ctx.state.update(() => ({ status: "shipped", tracking }));
    }),
  ],
  output: (ctx) => {
    const { receipt, tracking } = ctx.state.snapshot();
    return { receipt, tracking };
  },
});
