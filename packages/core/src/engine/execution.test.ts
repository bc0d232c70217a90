import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { code, drive, Driven as DrivenExecution, replayPrefixes, started, STARTED_AT } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import type { WorkflowContext } from "../define/context.ts";
import { childFailed } from "./child-events.ts";

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

describe("cancellation", () => {
  it("rejects all that the code waits for, in command order, once (I17)", async () => {
    const seen: string[] = [];
    const note = (name: string, promise: Promise<unknown>): Promise<unknown> =>
      promise.catch((error: Error) => void seen.push(`${name} ${error.name}`));
    const definition = code((ctx) =>
      Promise.all([
        note("sleep", ctx.sleep("1h")),
        note("signal", ctx.waitFor(go)),
        note("activity", ctx.run(charge, 1)),
      ]),
    );
    const run = await drive(definition);
    await run.execution.cancelReceived("enough");
    await run.execution.cancelReceived("again");
    expect(seen).toEqual(["sleep CancelledError", "signal CancelledError", "activity CancelledError"]);
    expect(run.take().filter((type) => type === "CANCEL_REQUESTED")).toHaveLength(1);
    await replayPrefixes(definition, run);
  });

  it("leaves an outcome that comes later without effect", async () => {
    const run = await drive(code((ctx) => ctx.run(charge, 1).catch(() => ctx.sleep("1h"))));
    await run.execution.cancelReceived(undefined);
    run.take();
    await run.complete(1, "late");
    await run.fail(1, "later");
    expect(run.take()).toEqual([]);
  });

  it("lets the code clean up, and ends the run as cancelled when the error passes", async () => {
    const definition = code(async (ctx) => {
      try {
        await ctx.sleep("1h");
      } finally {
        await ctx.run(charge, 1);
      }
    });
    const run = await drive(definition);
    await run.execution.cancelReceived("enough");
    expect(run.execution.ending).toBeNull();
    await run.complete(2, null);
    expect(run.execution.ending).toEqual({ status: "cancelled", reason: "enough", terminated: false });
    run.take();
    await replayPrefixes(definition, run);
  });

  it("that the code swallows makes it complete", async () => {
    const run = await drive(code((ctx) => ctx.sleep("1h").catch(() => "went on")));
    await run.execution.cancelReceived("enough");
    expect(run.output).toBe("went on");
  });

  it("is what the run ends with only if somebody asked for it", async () => {
    const { CancelledError } = await import("../errors/index.ts");
    const run = await drive(code(() => Promise.reject(new CancelledError({ reason: "mine" }))));
    expect(run.execution.ending).toMatchObject({ status: "failed" });
  });

  it("comes through to code that waits for a message to be sent", async () => {
    const definition = code(async (ctx) => {
      void ctx.child(
        code(async () => {}),
        undefined,
      );
      await ctx.signal("other", go, "x");
      await ctx.sleep("1h");
    });
    const run = await drive(definition);
    await run.execution.cancelReceived("enough");
    await run.execution.signalDelivered(2, "accepted");
    expect(run.execution.ending).toEqual({ status: "cancelled", reason: "enough", terminated: false });
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

describe("what the code does not await", () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  beforeEach(() => void process.on("unhandledRejection", note));
  afterEach(() => {
    process.off("unhandledRejection", note);
    expect(unhandled.splice(0)).toEqual([]);
  });

  it("does not end the process when it fails", async () => {
    const other = code(async () => {});
    const run = await drive(
      code(async (ctx) => {
        void ctx.run(
          activity({ name: "once", retry: 1 }, () => 1),
          undefined,
        );
        void ctx.run("once", () => 1, { retry: 1 });
        void ctx.sleep("1h");
        void ctx.waitFor(go);
        void ctx.signals(go)[Symbol.asyncIterator]().next();
        void ctx.signal("other", go, "x");
        const child = ctx.child(other, undefined);
        void child.signal(go, "x");
        void child.cancel();
        void ctx.run(null as never, undefined);
        void ctx.sleep(-1);
        await ctx.waitFor(signal("never"));
      }),
    );
    await run.fail(1, "no");
    await run.fail(2, "no");
    for (const command of [6, 8, 9]) await run.execution.signalDelivered(command, "unknown");
    await childFailed(run.execution, 7, { name: "Error", message: "no" });
    await run.execution.cancelReceived(undefined);
    await new Promise((resolve) => void setTimeout(resolve, 5));
    expect(run.execution.ending).toMatchObject({ status: "cancelled" });
  });

  it("may be awaited after it has failed", async () => {
    const run = await drive(
      code(async (ctx) => {
        const first = ctx.run("once", () => 1, { retry: 1 });
        await ctx.run(charge, 1);
        return first.catch((error: Error) => error.name);
      }),
    );
    await run.fail(1, "no");
    await new Promise((resolve) => void setTimeout(resolve, 5));
    await run.complete(2, null);
    expect(run.output).toBe("ActivityFailedError");
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
