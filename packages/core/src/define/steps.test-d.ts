import { describe, expectTypeOf, it } from "vitest";
import { schema } from "../../test/schema.ts";
import { createClient, step, type Workflow, workflow, type WorkflowContext } from "../index.ts";
import { memory } from "../memory.ts";

const client = createClient({ storage: memory() });

describe("steps", () => {
  const order = schema<{ id: string }, { id: string; amount: number }>();
  const grade = step("grade", async (ctx: WorkflowContext<{ score: number }>, input: { id: string }) => {
    ctx.state.set("score", input.id.length);
  });

  it("know the state and the input, and the result is the state", async () => {
    const graded = workflow({
      name: "graded",
      input: order,
      state: { initial: { score: 0 } },
      steps: (step) => [
        step("read", async (ctx, input) => {
          expectTypeOf(input).toEqualTypeOf<{ id: string; amount: number }>();
          expectTypeOf(ctx.state.get("score")).toEqualTypeOf<number>();
          // @ts-expect-error -- not a field
          ctx.state.set("mark", 1);
          // @ts-expect-error -- not the field's type
          ctx.state.set("score", "1");
        }),
        step("answers are dropped", (ctx) => ctx.run("x", () => 1)),
        grade,
      ],
    });
    expectTypeOf(graded).toEqualTypeOf<Workflow<{ id: string }, { score: number }, { score: number }>>();
    const run = await client.start(graded, { id: "o-1" });
    expectTypeOf(await run.result()).toEqualTypeOf<{ score: number }>();
    expectTypeOf(await run.state()).toEqualTypeOf<{ score: number } | undefined>();
  });

  it("have an output of its own type", async () => {
    const graded = workflow({
      name: "graded",
      input: order,
      state: { initial: ({ amount }: { amount: number }) => ({ score: amount }) },
      steps: (step) => [step("read", async (ctx, input) => ctx.state.set("score", input.amount))],
      output: async (ctx, input) => {
        expectTypeOf(input.amount).toEqualTypeOf<number>();
        return [ctx.state.get("score")];
      },
    });
    expectTypeOf(graded).toEqualTypeOf<Workflow<{ id: string }, number[], { score: number }>>();
    expectTypeOf(await (await client.start(graded, { id: "o-1" })).result()).toEqualTypeOf<number[]>();
    // @ts-expect-error -- a function of the context
    workflow({ name: "w", state: { initial: { score: 0 } }, steps: [grade], output: schema<number>() });
  });

  it("say what the input is where no schema does", async () => {
    const graded = workflow({
      name: "graded",
      state: { initial: { score: 0 } },
      steps: (step) => [
        step("read", async (ctx, input: { amount: number }) => {
          expectTypeOf(input.amount).toEqualTypeOf<number>();
          ctx.state.set("score", input.amount);
        }),
        step("rest", (ctx) => ctx.sleep("1s")),
      ],
      output: (ctx, input) => {
        expectTypeOf(input).toEqualTypeOf<{ amount: number }>();
        return ctx.state.get("score");
      },
    });
    expectTypeOf(graded).toEqualTypeOf<Workflow<{ amount: number }, number, { score: number }>>();
    const stateless = workflow({ name: "stateless", steps: (step) => [step("rest", (ctx) => ctx.sleep("1s"))] });
    expectTypeOf(stateless).toEqualTypeOf<Workflow<unknown, Record<string, never>, Record<string, never>>>();
  });

  it("may be defined outside, with their types", () => {
    const graded = workflow({ name: "graded", state: { initial: { score: 0 } }, steps: [grade] });
    expectTypeOf(graded).toEqualTypeOf<Workflow<{ id: string }, { score: number }, { score: number }>>();
    const checked = workflow({ name: "checked", input: order, state: { initial: { score: 0 } }, steps: [grade] });
    expectTypeOf(checked).toEqualTypeOf<Workflow<{ id: string }, { score: number }, { score: number }>>();
    const sleeps = workflow({ name: "sleeps", steps: [step("rest", (ctx) => ctx.sleep("1s"))] });
    expectTypeOf(sleeps).toEqualTypeOf<Workflow<unknown, Record<string, never>, Record<string, never>>>();
    // @ts-expect-error -- another state
    workflow({ name: "w", state: { initial: { mark: 0 } }, steps: [grade] });
    // @ts-expect-error -- another input
    workflow({ name: "w", input: schema<number>(), state: { initial: { score: 0 } }, steps: [grade] });
  });

  it("stand instead of a function", () => {
    // @ts-expect-error -- both
    workflow({ name: "w", state: { initial: { score: 0 } }, steps: [grade] }, async () => 1);
    // @ts-expect-error -- neither
    workflow({ name: "w", state: { initial: { score: 0 } } });
  });
});
