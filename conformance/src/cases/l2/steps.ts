import { signal, workflow } from "@perdure/core";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const go = signal<number>("go");

export const stepCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.steps",
    invariants: ["I3", "I12", "I14"],
    why: "A stepped workflow goes on with the step that it was in, on any worker: steps that are over are not begun again.",
    async play(lab) {
      const begun: string[] = [];
      const definition = workflow({
        name: "stepped",
        queue: lab.queue,
        state: { initial: { read: 0, graded: 0 } },
        steps: (step) => [
          step("read", async (ctx, from: number) => {
            ctx.state.set("read", await ctx.run("read", () => (begun.push("read"), from + 1)));
          }),
          step("grade", async (ctx) => {
            const read = ctx.state.get("read");
            await ctx.run("begin", () => void begun.push("grade"));
            ctx.state.set("graded", read + (await ctx.waitFor(go)));
          }),
          step("publish", async (ctx) => {
            await ctx.sleep(10);
            await ctx.run("publish", () => void begun.push("publish"));
          }),
        ],
      });
      const first = await lab.work([definition]);
      const run = await lab.start(definition, 40);
      await lab.parked(run, "SIGNAL_AWAITED");
      equal(await run.state(), { read: 41, graded: 0 }, "others see how far it has come (I3)");
      await first.die();
      await lab.work([definition]);
      await run.signal(go, 1);
      equal(await lab.output(run), { read: 41, graded: 42 }, "its result is its state");
      equal(begun, ["read", "grade", "publish"], "each step is begun once (I12)");
      const marks = (await run.history()).flatMap((event) =>
        event.type === "STEP_STARTED" || event.type === "STEP_COMPLETED" ? [`${event.type} ${event.data.step}`] : [],
      );
      equal(
        marks,
        ["read", "grade", "publish"].flatMap((name) => [`STEP_STARTED ${name}`, `STEP_COMPLETED ${name}`]),
        "history has each step's beginning and end",
      );
    },
  }),
];
