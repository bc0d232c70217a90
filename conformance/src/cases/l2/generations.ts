import { signal, workflow } from "@perdure/core";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

/** Signals, of which each generation takes one. */
const COUNT = 6;

const go = signal<number>("go");

export const generationCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.continue-as-new",
    invariants: ["I1", "I11", "I18"],
    why: "A run that never ends begins anew with an empty history: what it was told and has not looked at, and the children that it answers for, go on with it.",
    hint: "Does a commit move `baseSeq` together with its events, and do claims count and read events from there, pages of earlier ones included?",
    async play(lab) {
      const { queue, mode } = lab;
      const kid = workflow({ name: "kid", queue }, (ctx) => ctx.waitFor(go));
      const collect = workflow(
        { name: "collect", queue, state: { initial: (got: readonly number[]) => ({ got: got.length }) } },
        async (ctx, before: readonly number[]): Promise<readonly number[]> => {
          if (before.length === 0) void ctx.child(kid, undefined, { id: `${mode}-kid`, parentClose: "terminate" });
          const got = [...before, await ctx.waitFor(go)];
          await ctx.run("look", () => null);
          if (got.length === COUNT / 2) await ctx.sleep(30);
          return got.length === COUNT ? got : ctx.continueAsNew(got);
        },
      );
      const first = await lab.work([collect, kid]);
      const run = await lab.start(collect, []);
      await lab.parked(run, "SIGNAL_AWAITED");
      await lab.parked(lab.client.handle(`${mode}-kid`), "SIGNAL_AWAITED");
      for (let n = 0; n < COUNT - 1; n++) await run.signal(go, n);
      await lab.until("all but the last generation are over", async () => {
        const { generation, status } = await run.describe();
        return generation === COUNT && status === "suspended";
      });
      equal(await run.state(), { got: COUNT - 1 }, "the row has the state of the generation that is going on");
      equal(await lab.client.handle(`${mode}-kid`).status(), "suspended", "its child lives");
      await first.die();
      await lab.work([collect, kid]);
      await run.signal(go, COUNT - 1);
      equal(await lab.output(run), [0, 1, 2, 3, 4, 5], "each signal was taken once, in order (I18)");
      const continued = (await run.history()).filter(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW");
      equal(continued.length, COUNT - 1, "and one history has all generations (I1)");
      await lab.until("the child of the first generation is closed", async () => {
        return (await lab.client.handle(`${mode}-kid`).status()) === "cancelled";
      });
    },
  }),
];
