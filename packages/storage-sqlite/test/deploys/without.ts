import { workflow } from "@perdure/core";

/** The activity is gone altogether. */
export const parcel = workflow({ name: "parcel", version: "without" }, async (ctx) => {
  await ctx.sleep("1h");
});
