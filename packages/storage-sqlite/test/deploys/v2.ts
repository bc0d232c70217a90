import { workflow } from "@perdure/core";
import { collect } from "./collect.ts";
import { approved } from "./v1.ts";

/** The first activity has another name. */
export const order = workflow({ name: "order", version: "2" }, async (ctx) => {
  const charged = await ctx.run("bill", async () => "charged by 2");
  const by = await ctx.waitFor(approved);
  const shipped = await ctx.run("ship", async () => "shipped by 2");
  return [charged, by, shipped];
});

/** So has the activity. */
export const parcel = workflow({ name: "parcel", version: "2" }, async (ctx, depot: string) => {
  const collected = await ctx.run("pick-up", () => collect(depot));
  return [collected, "delivered by 2"];
});
