import { describe, expect, it } from "vitest";
import { code, drive, Driven as DrivenExecution, replayPrefixes, started, STARTED_AT } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import type { WorkflowContext } from "../define/context.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);
const go = signal<string>("go");

describe("one event at a time", () => {
  /** Each branch goes on for a while after its activity before it says so. */
  function branches(combine: (branches: Promise<string>[]) => Promise<unknown>, seen: string[]): AnyWorkflow {
    return code((ctx) =>
      combine(
        ["a", "b", "c"].map(async (name, at) => {
          await ctx.run(charge, at);
          seen.push(`${name} begins`);
          for (let step = 0; step < 5; step++) await Promise.resolve();
          seen.push(`${name} ends`);
          return name;
        }),
      ),
    );
  }

  it("the code is quiet before it sees the next event, live and replayed (I14)", async () => {
    const live: string[] = [];
    const run = await drive(branches((all) => Promise.all(all), live));
    for (const command of [3, 1, 2]) await run.complete(command, null);
    const expected = ["c begins", "c ends", "a begins", "a ends", "b begins", "b ends"];
    expect(live).toEqual(expected);
    expect(run.output).toEqual(["a", "b", "c"]);

    run.take();
    const cold: string[] = [];
    const replayed = await new DrivenExecution(branches((all) => Promise.all(all), cold)).replay(run.history);
    expect(cold).toEqual(expected);
    expect(replayed.output).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["race", (all: Promise<string>[]) => Promise.race(all), "b"],
    ["any", (all: Promise<string>[]) => Promise.any(all), "b"],
    [
      "allSettled",
      async (all: Promise<string>[]) => (await Promise.allSettled(all)).map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled"],
    ],
  ] as const)("Promise.%s follows from the order of events alone", async (_, combine, output) => {
    const run = await drive(branches(combine, []));
    await run.complete(2, null);
    await run.complete(1, null);
    await run.complete(3, null);
    expect(run.output).toEqual(output);
    run.take();
    const cold = await new DrivenExecution(branches(combine, [])).replay(run.history);
    expect(cold.output).toEqual(output);
  });

  it("Promise.any passes over failures, and Promise.all fails with the first", async () => {
    const once = activity({ name: "once", retry: 1 }, async (input: number) => input);
    const any = code((ctx) => Promise.any([1, 2].map((input) => ctx.run(once, input))));
    const anyRun = await drive(any);
    await anyRun.fail(1, "no");
    expect(anyRun.execution.ending).toBeNull();
    await anyRun.complete(2, "two");
    expect(anyRun.output).toBe("two");

    const all = code((ctx) => Promise.all([1, 2].map((input) => ctx.run(once, input))));
    const allRun = await drive(all);
    await allRun.fail(2, "two is broken");
    expect(allRun.execution.ending).toMatchObject({
      status: "failed",
      failure: expect.stringContaining("two is broken") as unknown,
    });
  });

  it("answers ctx.now with the time of the event that the code answers to", async () => {
    const run = await drive(
      code(async (ctx) => {
        const times = [ctx.now().getTime()];
        await ctx.run(charge, 1);
        times.push(ctx.now().getTime());
        return times;
      }),
    );
    run.clock.now += 5_000;
    await run.complete(1, null);
    expect(run.output).toEqual([STARTED_AT, STARTED_AT + 5_000]);
  });

  it("event times never go back", async () => {
    const run = await drive(code((ctx) => Promise.all([ctx.run(charge, 1), ctx.run(charge, 2)])));
    run.clock.now += 5_000;
    await run.complete(1, null);
    run.clock.now -= 60_000;
    await run.complete(2, null);
    run.take();
    expect(run.history.map(({ at }) => at - STARTED_AT)).toEqual([0, 5_000, 5_000]);
  });
});

describe("suspension", () => {
  it("is no exception: neither catch nor finally see it, live and replayed", async () => {
    const seen: string[] = [];
    const definition = code(async (ctx) => {
      try {
        await ctx.sleep("1h");
        seen.push("slept");
      } catch {
        seen.push("caught");
      } finally {
        seen.push("finally");
      }
    });
    const run = await drive(definition);
    run.take();
    await new DrivenExecution(definition).replay(run.history);
    expect(seen).toEqual([]);
    await run.execution.fireTimers(STARTED_AT + 3_600_000);
    expect(seen).toEqual(["slept", "finally"]);
  });
});

describe("timers", () => {
  it("fire in the order in which they are due, not before, once (I10)", async () => {
    const order: string[] = [];
    const nap = (ctx: WorkflowContext, name: string, ms: number): Promise<void> =>
      ctx.sleep(ms).then(() => void order.push(name));
    const definition = code((ctx) =>
      Promise.all([nap(ctx, "c", 30), nap(ctx, "a", 10), nap(ctx, "b1", 20), nap(ctx, "b2", 20)]),
    );
    const run = await drive(definition);
    run.take();
    await run.execution.fireTimers(STARTED_AT + 9);
    expect(run.take()).toEqual([]);
    await run.execution.fireTimers(STARTED_AT + 1_000);
    expect(order).toEqual(["a", "b1", "b2", "c"]);
    await run.execution.fireTimers(STARTED_AT + 1_000);
    expect(run.take()).toEqual(["TIMER_FIRED 2", "TIMER_FIRED 3", "TIMER_FIRED 4", "TIMER_FIRED 1"]);
    await replayPrefixes(definition, run);
  });

  it("stop firing when the code has ended", async () => {
    const run = await drive(code((ctx) => Promise.race([ctx.sleep(10), ctx.sleep(20)])));
    await run.execution.fireTimers(STARTED_AT + 1_000);
    expect(run.take()).toEqual(["TIMER_STARTED 1", "TIMER_STARTED 2", "TIMER_FIRED 1"]);
  });
});

describe("signals", () => {
  it("keep their order and are consumed once, before and after they are waited for (I18)", async () => {
    const definition = code(async (ctx) => {
      const first = ctx.waitFor(go);
      const second = ctx.waitFor(go);
      await ctx.run(charge, 1);
      return [await second, await first, await ctx.waitFor(go), await ctx.waitFor(go)];
    });
    const run = await drive(definition);
    for (const payload of ["1", "2", "3"]) await run.signal("go", payload);
    await run.complete(3, null);
    await run.signal("go", "4");
    expect(run.output).toEqual(["2", "1", "3", "4"]);
    expect(run.take().filter((type) => type.startsWith("SIGNAL_AWAITED"))).toEqual([
      "SIGNAL_AWAITED 1",
      "SIGNAL_AWAITED 2",
      "SIGNAL_AWAITED 5",
    ]);
    await replayPrefixes(definition, run);
  });

  it("of different names do not see each other", async () => {
    const run = await drive(code((ctx) => ctx.waitFor(go)));
    await run.signal("stop", "x");
    expect(run.execution.ending).toBeNull();
    await run.signal("go", "y");
    expect(run.output).toBe("y");
  });

  it("come one by one from ctx.signals", async () => {
    const definition = code(async (ctx) => {
      const seen: string[] = [];
      for await (const payload of ctx.signals(go)) {
        seen.push(payload);
        if (payload === "last") return seen;
      }
      return null;
    });
    const run = await drive(definition);
    for (const payload of ["a", "b", "last", "late"]) await run.signal("go", payload);
    expect(run.output).toEqual(["a", "b", "last"]);
    run.take();
    await replayPrefixes(definition, run);
  });
});

describe("retries", () => {
  it("are decided by the policy, and recorded with the delay that was drawn (I16)", async () => {
    const run = await drive(code((ctx) => ctx.run(charge, 1)));
    await run.fail(1, "one");
    expect(run.execution.open.activities.get(1)).toMatchObject({ attempt: 2, dueAt: STARTED_AT + 10_000 });
    await run.fail(1, "two");
    expect(run.execution.open.activities.get(1)).toMatchObject({ attempt: 3 });
    await run.fail(1, "three");
    expect(run.take()).toEqual(["ACTIVITY_RETRYING 1", "ACTIVITY_RETRYING 1", "ACTIVITY_FAILED 1"]);
    expect(run.execution.ending).toMatchObject({ status: "failed" });
    const data = run.history.slice(1).map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    expect(data.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    // The input is recorded once.
    expect(data.map(({ input }) => input)).toEqual([1, undefined, undefined]);
  });

  it("go on where history left them", async () => {
    const definition = code((ctx) => ctx.run(charge, 1));
    const run = await drive(definition);
    await run.fail(1, "one");
    run.take();
    const cold = await new DrivenExecution(definition).replay(run.history);
    expect(cold.execution.open.activities.get(1)).toMatchObject({
      attempt: 2,
      dueAt: STARTED_AT + 10_000,
      recorded: true,
    });
  });
});

describe("answers that follow from a seed", () => {
  const definition = code(async (ctx) => {
    const first = [ctx.random(), ctx.uuid()];
    await ctx.run(charge, 1);
    return [...first, ctx.random(), ctx.uuid()];
  });

  it("are the same in every replay, and differ from each other", async () => {
    const run = await drive(definition);
    await run.complete(1, null);
    run.take();
    const cold = await new DrivenExecution(definition).replay(run.history);
    expect(cold.output).toEqual(run.output);
    const [random, uuid, random2, uuid2] = run.output as [number, string, number, string];
    expect(random).not.toBe(random2);
    expect(uuid).not.toBe(uuid2);
    for (const id of [uuid, uuid2])
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
  });
});

describe("the record of a child that is asked for", () => {
  it.each([
    ["has what its state begins with", 7, '{"n":7}'],
    ["leaves out one that is large", "x".repeat(70_000), undefined],
  ])("%s", async (_, n, state) => {
    const kid = workflow({ name: "kid", state: { initial: (input: unknown) => ({ n: input }) } }, async () => null);
    const { execution } = await drive(code(async (ctx) => ctx.child(kid, n)));
    const { data } = execution.fresh[0]!;
    expect((JSON.parse(data) as { state?: unknown }).state).toEqual(state && JSON.parse(state));
    expect(execution.open.children.get(1)!.state).toBe(JSON.stringify({ n }));
  });
});

describe("an event of a kind that this version does not know", () => {
  it("is passed over", async () => {
    const definition = code((ctx) => ctx.run(charge, 1));
    const future = { seq: 2, type: "FROM_THE_FUTURE", command: null, at: STARTED_AT, data: "{}" };
    const run = await new DrivenExecution(definition).replay([started(definition), future]);
    expect(run.execution.broken).toBeNull();
    expect(run.execution.head).toBe(2);
  });
});
