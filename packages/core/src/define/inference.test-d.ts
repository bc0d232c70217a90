import { describe, expectTypeOf, it } from "vitest";
import { schema } from "../../test/schema.ts";
import {
  type Activity,
  activity,
  createClient,
  createWorker,
  type RunHandle,
  signal,
  type Signal,
  type Workflow,
  workflow,
  type WorkflowContext,
} from "../index.ts";
import { memory } from "../memory.ts";

const client = createClient({ storage: memory() });

describe("plain types", () => {
  const charge = activity({ name: "charge" }, async (order: { id: string }, { attempt }) => {
    expectTypeOf(attempt).toEqualTypeOf<number>();
    return { receipt: order.id };
  });
  const approved = signal<{ by: string }>("approved");
  const pay = workflow({ name: "pay", state: { initial: { paid: 0 } } }, async (ctx, input: { orderId: string }) => {
    const done = await ctx.run(charge, { id: input.orderId });
    expectTypeOf(done).toEqualTypeOf<{ receipt: string }>();
    expectTypeOf(ctx.state.get("paid")).toEqualTypeOf<number>();
    return done.receipt.length;
  });

  it("of an activity are its code's", () => {
    expectTypeOf(charge).toEqualTypeOf<Activity<{ id: string }, { receipt: string }>>();
  });

  it("of a workflow are its code's and its state's", () => {
    expectTypeOf(pay).toEqualTypeOf<Workflow<{ orderId: string }, number, { paid: number }>>();
  });

  it("reach the handle", async () => {
    const run = await client.start(pay, { orderId: "o-1" });
    expectTypeOf(run).toEqualTypeOf<RunHandle<number, { paid: number }>>();
    expectTypeOf(await run.result()).toEqualTypeOf<number>();
    expectTypeOf(await run.state()).toEqualTypeOf<{ paid: number } | undefined>();
    expectTypeOf(client.handle("id", pay)).toEqualTypeOf<RunHandle<number, { paid: number }>>();
    expectTypeOf(client.handle("id")).toEqualTypeOf<RunHandle>();
    await run.signal(approved, { by: "ada" });
  });

  it("are checked where values are given", async () => {
    // @ts-expect-error -- not the input
    await client.start(pay, { orderId: 1 });
    // @ts-expect-error -- no input
    await client.start(pay);
    // @ts-expect-error -- not the payload
    await client.handle("id").signal(approved, { by: 1 });
    workflow({ name: "w", state: { initial: { n: 1 } } }, async (ctx) => {
      // @ts-expect-error -- not the activity's input
      await ctx.run(charge, "o-1");
      // @ts-expect-error -- not a field
      ctx.state.set("m", 1);
      // @ts-expect-error -- not the field's type
      ctx.state.set("n", "1");
      // @ts-expect-error -- not a duration
      await ctx.sleep("5 minutes");
    });
    // @ts-expect-error -- a misspelt option
    activity({ name: "a", retries: 3 }, async () => {});
  });

  it("of what may be synchronous are awaited", () => {
    const sync = activity({ name: "sync" }, (n: number) => n * 2);
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.run(sync, 1)).toEqualTypeOf<number>();
      expectTypeOf(await ctx.run("inline", () => "text")).toEqualTypeOf<string>();
      expectTypeOf(await ctx.run("inline", async ({ signal: fired }) => fired.aborted)).toEqualTypeOf<boolean>();
      expectTypeOf(ctx.sideEffect("draw", () => 1)).toEqualTypeOf<number>();
    });
  });

  it("of signals come through", () => {
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.waitFor(approved)).toEqualTypeOf<{ by: string }>();
      for await (const payload of ctx.signals(approved)) expectTypeOf(payload).toEqualTypeOf<{ by: string }>();
      await ctx.signal("other", approved, { by: "ada" });
      // @ts-expect-error -- not the payload
      await ctx.signal("other", approved, "ada");
    });
    const bell = signal("bell");
    expectTypeOf(bell).toEqualTypeOf<Signal<void>>();
  });

  it("of children come through", () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(pay, { orderId: "o-1" }, { parentClose: "abandon" });
      expectTypeOf(child.runId).toEqualTypeOf<string>();
      await child.signal(approved, { by: "ada" });
      // @ts-expect-error -- not the input
      void ctx.child(pay, "o-1");
      expectTypeOf(await Promise.all([child, ctx.child(pay, { orderId: "o-2" })])).toEqualTypeOf<[number, number]>();
      return child;
    });
    expectTypeOf(parent).toEqualTypeOf<Workflow<unknown, number, Record<string, never>>>();
    const direct = workflow({ name: "direct" }, (ctx) => ctx.child(pay, { orderId: "o-1" }));
    expectTypeOf(direct).toEqualTypeOf<Workflow<unknown, number, Record<string, never>>>();
  });
});

describe("continue-as-new", () => {
  it("takes the workflow's input and does not count as output", () => {
    const count = workflow({ name: "count" }, async (ctx, n: number) => {
      // @ts-expect-error -- not the input
      if (n < 0) return ctx.continueAsNew("1");
      return n < 3 ? ctx.continueAsNew(n + 1) : "done";
    });
    expectTypeOf(count).toEqualTypeOf<Workflow<number, string, Record<string, never>>>();
    const forever = workflow({ name: "forever" }, (ctx, n: number) => ctx.continueAsNew(n + 1));
    expectTypeOf(forever).toEqualTypeOf<Workflow<number, never, Record<string, never>>>();
    const stated = workflow(
      { name: "stated", input: schema<{ n: string }, { n: number }>(), state: { initial: { sum: 0 } } },
      async (ctx, input) => {
        const helper = async (context: WorkflowContext<{ sum: number }>): Promise<number> => context.state.get("sum");
        if ((await helper(ctx)) > input.n) return ctx.continueAsNew({ n: "1" });
        // @ts-expect-error -- what the schema makes of it is not what it takes
        return ctx.continueAsNew({ n: 1 });
      },
    );
    expectTypeOf(stated).toEqualTypeOf<Workflow<{ n: string }, never, { sum: number }>>();
  });
});

describe("shields", () => {
  it("answer what their function answers", () => {
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.shield(async () => 1)).toEqualTypeOf<number>();
      expectTypeOf(await ctx.shield(() => "text")).toEqualTypeOf<string>();
      expectTypeOf(await ctx.shield(() => ctx.sleep("1s"))).toEqualTypeOf<void>();
    });
  });
});

describe("a worker", () => {
  it("takes workflows of all types", () => {
    const one = workflow({ name: "one" }, async (_, input: string) => input);
    const two = workflow({ name: "two", state: { initial: { a: 1 } } }, async () => 1);
    createWorker({ storage: memory(), workflows: [one, two] });
    // @ts-expect-error -- not a workflow
    createWorker({ storage: memory(), workflows: ["one"] });
  });
});
