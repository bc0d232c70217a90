import { workflow } from "@perdure/core";
import { collect } from "./collect.ts";
import { approved } from "./v1.ts";

/** What open runs have done has its old name again; what is new comes after. */
export const order = workflow({ name: "order", version: "3" }, async (ctx) => {
  const charged = await ctx.run("charge", async () => "charged by 3");
  const by = await ctx.waitFor(approved);
  const shipped = await ctx.run("ship", async () => "shipped by 3");
  const told = await ctx.run("tell", async () => "told by 3");
  return [charged, by, shipped, told];
});

export const parcel = workflow({ name: "parcel", version: "3" }, async (ctx, depot: string) => {
  const collected = await ctx.run("collect", () => collect(depot));
  return [collected, "delivered by 3"];
});
