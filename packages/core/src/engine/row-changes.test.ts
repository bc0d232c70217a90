import { describe, expect, it } from "vitest";
import { drive, Driven as DrivenExecution } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);

describe("the run row", () => {
  const definition = workflow({ name: "code", state: { initial: { n: 0 } } }, async (ctx) => {
    ctx.state.set("n", 1);
    ctx.attributes.set({ tier: "gold" });
    await ctx.run(charge, 1);
    ctx.attributes.set({ size: 3 });
  });

  it("gets what changed, once", async () => {
    const run = await drive(definition);
    expect(run.execution.takeRunFields()).toEqual({ state: '{"n":1}', attributes: { tier: "gold" } });
    expect(run.execution.takeRunFields()).toBeUndefined();
    await run.complete(3, null);
    expect(run.execution.takeRunFields()).toEqual({ attributes: { tier: "gold", size: 3 } });
  });

  it("gets again what a refused commit carried", async () => {
    const run = await drive(definition);
    const { execution } = run;
    execution.takeRunFields();
    const events = execution.fresh.splice(0);
    await run.complete(3, null);
    execution.restore(events);
    expect(run.take()).toEqual(["STATE_SET 1", "ATTRIBUTES_SET 2", "ACTIVITY_COMPLETED 3", "ATTRIBUTES_SET 4"]);
    expect(execution.takeRunFields()).toEqual({ state: '{"n":1}', attributes: { tier: "gold", size: 3 } });
  });

  it("gets what history has up to a seq: a turn may be committed in parts", async () => {
    const parts = workflow({ name: "code", state: { initial: { n: 0 } as Record<string, number> } }, async (ctx) => {
      ctx.state.set("n", 1);
      ctx.state.update(() => ({ n: 2, later: 2 }));
      ctx.attributes.set({ tier: "gold" });
      ctx.state.set("later", 3);
      ctx.attributes.set({ tier: "iron" });
      await ctx.sleep("1h");
    });
    const { execution } = await drive(parts);
    expect(execution.takeRunFields(1)).toBeUndefined();
    expect(execution.takeRunFields(2)).toEqual({ state: '{"n":1}' });
    execution.restore([]);
    expect(execution.takeRunFields(4)).toEqual({ state: '{"n":2,"later":2}', attributes: { tier: "gold" } });
    expect(execution.takeRunFields(5)).toEqual({ state: '{"n":2,"later":3}' });
    execution.restore([]);
    expect(execution.takeRunFields()).toEqual({ state: '{"n":2,"later":3}', attributes: { tier: "iron" } });
    expect(execution.takeRunFields()).toBeUndefined();
  });

  it("gets nothing from a replay: it is there already", async () => {
    const run = await drive(definition);
    run.take();
    const cold = await new DrivenExecution(definition).replay(run.history);
    expect(cold.execution.takeRunFields()).toBeUndefined();
    expect(cold.execution.attributes).toEqual({ tier: "gold" });
  });
});
