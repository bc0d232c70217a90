import { describe, expectTypeOf, it } from "vitest";
import { schema } from "../../test/schema.ts";
import { activity, createClient, signal, workflow } from "../index.ts";
import { memory } from "../memory.ts";

const client = createClient({ storage: memory() });

describe("schemas", () => {
  // As zod would make them: what is given differs from what is got.
  type Order = { orderId: string; amount: number; note: string };
  const order = schema<{ orderId: string; amount: string; note?: string | undefined }, Order>();
  const charge = activity({ name: "charge", input: order, output: schema<{ receipt: string }>() }, async (input) => {
    expectTypeOf(input).toEqualTypeOf<Order>();
    return { receipt: input.note };
  });
  const approved = signal("approved", schema<{ by: string; at: string }, { by: string; at: Date }>());
  const pay = workflow(
    {
      name: "pay",
      input: order,
      output: schema<number>(),
      state: { initial: (input: { amount: number }) => ({ left: input.amount }) },
    },
    async (ctx, input) => {
      expectTypeOf(input).toEqualTypeOf<Order>();
      expectTypeOf(ctx.state.get("left")).toEqualTypeOf<number>();
      return input.amount;
    },
  );

  it("say what is given and what the code gets", async () => {
    const run = await client.start(pay, { orderId: "o-1", amount: "7" });
    expectTypeOf(await run.result()).toEqualTypeOf<number>();
    expectTypeOf(await run.state()).toEqualTypeOf<{ left: number } | undefined>();
    // @ts-expect-error -- what is given is text
    await client.start(pay, { orderId: "o-1", amount: 7 });
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.run(charge, { orderId: "o-1", amount: "7" })).toEqualTypeOf<{ receipt: string }>();
      // @ts-expect-error -- what is given is text
      await ctx.run(charge, { orderId: "o-1", amount: 7 });
    });
  });

  it("of signals tell what is sent from what is received", async () => {
    await client.handle("id").signal(approved, { by: "ada", at: "2026-01-01" });
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.waitFor(approved)).toEqualTypeOf<{ by: string; at: Date }>();
    });
  });

  it("refuse an output of another type", () => {
    // @ts-expect-error -- not the schema's output
    workflow({ name: "w", output: schema<number>() }, async () => "text");
  });
});
