/** A workflow whose recorded histories have the events of steps, patches and shields. */
import { signal } from "../src/define/signal.ts";
import { workflow } from "../src/define/workflow.ts";

const answers = signal<string[]>("answers");

export const assessment = workflow({
  name: "assessment",
  state: { initial: { score: 0 } },
  steps: (step) => [
    step("quiz", async (ctx, topic: string) => {
      ctx.deprecatePatch("polite");
      await ctx.shield(async () => {
        await ctx.run("print", () => topic);
        await ctx.sleep("1h");
      });
    }),
    step("grade", async (ctx) => {
      const given = await ctx.waitFor(answers);
      ctx.state.set("score", ctx.patched("generous") ? given.length * 2 : given.length);
    }),
  ],
  output: (ctx) => ctx.state.get("score"),
});
