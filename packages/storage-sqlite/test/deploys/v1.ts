import { signal, workflow } from "@perdure/core";
import { collect } from "./collect.ts";

export const approved = signal<string>("approved");

export const order = workflow({ name: "order", version: "1" }, async (ctx) => {
  const charged = await ctx.run("charge", async () => "charged by 1");
  const by = await ctx.waitFor(approved);
  const shipped = await ctx.run("ship", async () => "shipped by 1");
  return [charged, by, shipped];
});

/** Its activity fails until somebody opens the depot. */
export const parcel = workflow({ name: "parcel", version: "1" }, async (ctx, depot: string) => {
  const collected = await ctx.run("collect", () => collect(depot), {
    retry: { maximumAttempts: Infinity, delay: "250ms" },
  });
  return [collected, "delivered by 1"];
});
