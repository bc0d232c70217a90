import { activity, createClient, createWorker, signal, workflow } from "@perdure/core";
import { memory } from "@perdure/core/memory";
import { z } from "zod";

const approved = signal("approved", z.object({ by: z.string() }));
const charge = activity({ name: "charge", retry: 5, timeout: "30s" },
  async ({ orderId }: { orderId: string }, { idempotencyKey }) => ({ receipt: `${orderId}/${idempotencyKey}` }));

export const order = workflow({ name: "order", input: z.object({ orderId: z.string() }) }, async (ctx, { orderId }) => {
  const { receipt } = await ctx.run(charge, { orderId });
  await ctx.sleep("1s");
  const { by } = await ctx.waitFor(approved, { timeout: "7d" });
  return { receipt, by };
});

const storage = memory();
const worker = createWorker({ storage, workflows: [order] });
void worker.run();
const client = createClient({ storage });
const run = await client.start(order, { orderId: "o-1" }, { idempotencyKey: "order-o-1" });
await run.signal(approved, { by: "ada" });
console.log(await run.result());
console.log(await run.history());
await worker.stop();
await client.close();
await storage.close();
