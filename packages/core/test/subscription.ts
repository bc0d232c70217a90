/** A workflow whose recorded histories have the events of activity tasks, shared results and several generations. */
import { activity } from "../src/define/activity.ts";
import { signal } from "../src/define/signal.ts";
import { workflow } from "../src/define/workflow.ts";

const paid = signal<number>("paid");
const stop = signal("stop");

const rate = activity({ name: "rate", cache: { key: (plan: string) => plan } }, (plan: string) => plan.length);
const bill = activity({ name: "bill", queue: "billing" }, (cents: number) => `bill over ${cents}`);

const watch = workflow({ name: "watch" }, async (ctx) => ctx.waitFor(stop));

export const subscription = workflow(
  { name: "subscription", state: { initial: { month: 0 } } },
  async (ctx, { month, sum }: { month: number; sum: number }): Promise<number> => {
    ctx.state.set("month", month);
    if (month === 1) void ctx.child(watch, undefined, { parentClose: "terminate" });
    const note = await ctx.run(bill, await ctx.run(rate, "basic"));
    const received = await ctx.waitFor(paid);
    ctx.attributes.set({ month, note });
    if (month === 3) return sum + received;
    await ctx.sleep("30d");
    return ctx.continueAsNew({ month: month + 1, sum: sum + received });
  },
);
