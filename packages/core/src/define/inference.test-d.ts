import { describe, expectTypeOf, it } from "vitest";
import {
  type Activity,
  activity,
  createClient,
  createWorker,
  type RunHandle,
  type Schema,
  signal,
  type Signal,
  step,
  type TransactionalContext,
  type Workflow,
  workflow,
  type WorkflowContext,
} from "../index.ts";
import { memory } from "../memory.ts";

function schema<Input, Output = Input>(): Schema<Input, Output> {
  return null as never;
}

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

describe("transactional activities", () => {
  interface Transaction {
    insert(row: string): Promise<void>;
  }
  const begin = <T>(run: (tx: Transaction) => Promise<T>): Promise<T> => run(null as never);

  it("know their transaction", async () => {
    const reserve = activity({ name: "reserve", transaction: begin }, async (item: { id: string }, context) => {
      expectTypeOf(context).toEqualTypeOf<TransactionalContext<Transaction>>();
      const { tx, attempt, heartbeat } = context;
      expectTypeOf(tx).toEqualTypeOf<Transaction>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
      heartbeat();
      await client.start(pay, 1, { tx });
      return item.id.length;
    });
    expectTypeOf(reserve).toEqualTypeOf<Activity<{ id: string }, number>>();
    const pay = workflow({ name: "pay" }, (ctx, n: number) => ctx.run(reserve, { id: String(n) }));
    expectTypeOf(pay).toEqualTypeOf<Workflow<number, number, Record<string, never>>>();
    createWorker({ storage: memory(), workflows: [pay], activities: [reserve] });
  });

  it("with schemas, too", () => {
    const options = { name: "reserve", transaction: begin, input: schema<{ n: string }, { n: number }>() };
    const reserve = activity({ ...options, output: schema<boolean>() }, ({ n }, { tx }) => {
      expectTypeOf(n).toEqualTypeOf<number>();
      expectTypeOf(tx).toEqualTypeOf<Transaction>();
      return true;
    });
    expectTypeOf(reserve).toEqualTypeOf<Activity<{ n: string }, boolean, { n: number }>>();
  });

  it("do not know it from a function without types, unless their code says it", () => {
    activity({ name: "a", transaction: (run) => begin(run) }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<unknown>();
    });
    activity(
      { name: "a", transaction: (run) => begin(run) },
      async (_: string, { tx }: TransactionalContext<Transaction>) => {
        await tx.insert("row");
      },
    );
    // @ts-expect-error -- another transaction than the function begins
    activity({ name: "a", transaction: begin }, async (_: string, { tx }: TransactionalContext<Date>) => tx);
    const storage = memory();
    activity({ name: "a", transaction: (run) => storage.transaction(run) }, async (_: string, { tx }) => {
      await client.start(
        workflow({ name: "w" }, async () => 1),
        undefined,
        { tx },
      );
    });
  });

  it("have no checkpoints and no cache, and others have no transaction", () => {
    // @ts-expect-error -- no checkpoint
    activity({ name: "a", transaction: begin }, async (_: string, { checkpoint }) => checkpoint(1));
    // @ts-expect-error -- a cache
    activity({ name: "a", transaction: begin, cache: { key: () => "" } }, async () => {});
    // @ts-expect-error -- no transaction
    activity({ name: "a" }, async (_: string, { tx }) => tx);
    // @ts-expect-error -- answers nothing
    activity({ name: "a", transaction: async (run) => void (await begin(run)) }, async () => {});
  });

  it("are for one of many starts no option", async () => {
    const quick = workflow({ name: "quick" }, async (_, n: number) => n);
    await client.startMany([{ definition: quick, input: 1 }], { tx: null });
    // @ts-expect-error -- one transaction for all
    await client.startMany([{ definition: quick, input: 1, options: { tx: null } }]);
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

describe("schemas", () => {
  // As zod would make them: what is given differs from what is got.
  type Order = { orderId: string; amount: number; note: string };
  const order = schema<{ orderId: string; amount: string; note?: string | undefined }, Order>();
  const charge = activity({ name: "charge", input: order, output: schema<{ receipt: string }>() }, async (input) => {
    expectTypeOf(input).toEqualTypeOf<Order>();
    return { receipt: input.note };
  });
  const approved = signal("approved", schema<{ by: string; at: string }, { by: string; at: Date }>());
  const pay = workflow(
    {
      name: "pay",
      input: order,
      output: schema<number>(),
      state: { initial: (input: { amount: number }) => ({ left: input.amount }) },
    },
    async (ctx, input) => {
      expectTypeOf(input).toEqualTypeOf<Order>();
      expectTypeOf(ctx.state.get("left")).toEqualTypeOf<number>();
      return input.amount;
    },
  );

  it("say what is given and what the code gets", async () => {
    const run = await client.start(pay, { orderId: "o-1", amount: "7" });
    expectTypeOf(await run.result()).toEqualTypeOf<number>();
    expectTypeOf(await run.state()).toEqualTypeOf<{ left: number } | undefined>();
    // @ts-expect-error -- what is given is text
    await client.start(pay, { orderId: "o-1", amount: 7 });
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.run(charge, { orderId: "o-1", amount: "7" })).toEqualTypeOf<{ receipt: string }>();
      // @ts-expect-error -- what is given is text
      await ctx.run(charge, { orderId: "o-1", amount: 7 });
    });
  });

  it("of signals tell what is sent from what is received", async () => {
    await client.handle("id").signal(approved, { by: "ada", at: "2026-01-01" });
    workflow({ name: "w" }, async (ctx) => {
      expectTypeOf(await ctx.waitFor(approved)).toEqualTypeOf<{ by: string; at: Date }>();
    });
  });

  it("refuse an output of another type", () => {
    // @ts-expect-error -- not the schema's output
    workflow({ name: "w", output: schema<number>() }, async () => "text");
  });
});

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
