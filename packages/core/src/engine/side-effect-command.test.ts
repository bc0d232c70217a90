import { describe, expect, it } from "vitest";
import { code, drive, Driven as DrivenExecution } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);

describe("ctx.sideEffect", () => {
  it("runs once: replay answers what it returned, with its types", async () => {
    let calls = 0;
    const definition = code(async (ctx) => {
      const drawn = ctx.sideEffect("draw", () => new Map([["n", ++calls]]));
      await ctx.run(charge, 1);
      return drawn.get("n");
    });
    const run = await drive(definition);
    await run.complete(2, null);
    expect(run.take()).toEqual(["SIDE_EFFECT_RECORDED 1", "ACTIVITY_COMPLETED 2"]);
    const cold = await new DrivenExecution(definition).replay(run.history);
    expect([run.output, cold.output, calls]).toEqual([1, 1, 1]);
  });
});

describe("ctx.sideEffect that throws", () => {
  it("throws the same in every replay", async () => {
    let calls = 0;
    const definition = code(async (ctx) => {
      let seen = "";
      try {
        ctx.sideEffect("draw", () => {
          if (++calls === 1) throw new RangeError("first");
          return "second";
        });
      } catch (error) {
        seen = `${(error as Error).name} ${(error as Error).message}`;
      }
      await ctx.run(charge, 1);
      return seen;
    });
    const run = await drive(definition);
    await run.complete(2, null);
    expect(run.take()).toEqual(["SIDE_EFFECT_RECORDED 1", "ACTIVITY_COMPLETED 2"]);
    const cold = await new DrivenExecution(definition).replay(run.history);
    expect([run.output, cold.output, calls]).toEqual(["RangeError first", "RangeError first", 1]);
  });
});
