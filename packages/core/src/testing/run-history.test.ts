import { AssertionError } from "node:assert";
import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { expectHistory, type HistoryExpectation } from "./expect-history.ts";
import type { RunHistory } from "./run-history.ts";

const retry = { maximumAttempts: 2, delay: "10s", jitter: 0 } as const;
const charge = activity({ name: "charge", retry }, async ({ cents }: { cents: number }, { attempt }) => {
  if (attempt === 1) throw new Error("The bank is busy.\nTry later.");
  return { receipt: `r-${cents}` };
});
const refund = activity({ name: "refund", retry: 1 }, async () => {
  throw new TypeError("no such receipt");
});
const approved = signal<{ by: string }>("approved");
const parcel = workflow({ name: "parcel" }, async (_, id: string) => `${id} packed`);
const order = workflow({ name: "order", state: { initial: { paid: false } } }, async (ctx, id: string) => {
  const nobody = ctx.waitFor(signal("nobody"), { timeout: "1h" }).catch(() => "nobody came");
  await ctx.run(charge, { cents: 700 });
  ctx.state.set("paid", true);
  await ctx.run(charge, { cents: 1 });
  await ctx.run("note", () => null);
  await ctx.run(refund, undefined).catch(() => {});
  await nobody;
  await ctx.sleep("1d");
  const { by } = await ctx.waitFor(approved, { timeout: "7d" });
  return [by, await ctx.child(parcel, id)];
});

async function played(): Promise<{ readonly history: RunHistory; readonly timeline: string }> {
  const env = environment({ workflows: [order, parcel] });
  const run = await env.client.start(order, "o-1", { id: "o-1" });
  await env.skip("2d");
  await run.signal(approved, { by: "ada" });
  await env.result(run);
  return { history: await env.history(run), timeline: await env.timeline("o-1") };
}

describe("env.history", () => {
  it("has what happened, by kind, as plain data", async () => {
    const { history } = await played();
    expect(history).toMatchObject({ runId: "o-1", workflow: "order", input: "o-1", status: "completed" });
    expect(history.output).toEqual(["ada", "o-1 packed"]);
    const failure = expect.objectContaining({ message: "The bank is busy.\nTry later." });
    const completed = { name: "charge", attempts: 2, status: "completed", failure };
    expect(history.activities(charge)).toEqual([
      { ...completed, input: { cents: 700 }, output: { receipt: "r-700" } },
      { ...completed, input: { cents: 1 }, output: { receipt: "r-1" } },
    ]);
    expect(history.activities().map(({ name, status, attempts }) => [name, status, attempts])).toEqual([
      ["charge", "completed", 2],
      ["charge", "completed", 2],
      ["note", "completed", 1],
      ["refund", "failed", 1],
    ]);
    expect(history.activities("note")).toEqual([
      { name: "note", input: undefined, attempts: 1, status: "completed", output: null },
    ]);
    expect(history.signals()).toEqual([{ name: "approved", payload: { by: "ada" } }]);
    expect(history.signals("nobody")).toEqual([]);
    expect(history.timers()).toEqual([{ ms: 86_400_000, status: "fired" }]);
    expect(history.children(parcel)).toEqual([
      { workflow: "parcel", runId: expect.any(String), input: "o-1", status: "completed", output: "o-1 packed" },
    ]);
  });

  it("reads a child's by the id that its parent's has", async () => {
    const env = environment({ workflows: [order, parcel] });
    const parent = workflow({ name: "parent" }, (ctx) => ctx.child(parcel, "p"));
    await env.restart({ workflows: [parent, parcel] });
    const run = await env.client.start(parent, undefined);
    await env.result(run);
    const [child] = (await env.history(run)).children();
    expect(await env.history(child!.runId)).toMatchObject({ workflow: "parcel", output: "p packed" });
  });

  it("knows a child that outlives its parent's generation by its name", async () => {
    const parent = workflow({ name: "parent" }, async (ctx, n: number): Promise<void> => {
      if (n === 0) {
        await ctx.sleep(1);
        void ctx.child(parcel, "p-1", { id: "p-1" });
        return ctx.continueAsNew(1);
      }
      await ctx.sleep("1h");
    });
    const env = environment({ workflows: [parent, parcel] });
    const run = await env.client.start(parent, 0);
    await env.result(run);
    const history = await env.history(run);
    expect(history.children()).toEqual([
      { workflow: "parcel", runId: "p-1", input: "p-1", status: "completed", output: undefined },
    ]);
    expect(history.timeline()).toContain("child parcel completed");
  });

  it("is also of a run that is open", async () => {
    const env = environment({ workflows: [order, parcel] });
    const run = await env.client.start(order, "o-1");
    await env.runUntilIdle();
    const history = await env.history(run);
    expect(history.status).toBe("open");
    expect(history.activities()).toMatchObject([{ name: "charge", attempts: 1, status: "open" }]);
    expectHistory(history).isOpen();
  });
});

describe("env.timeline", () => {
  it("is a line for each event, the same each time", async () => {
    const { timeline } = await played();
    expect(timeline).toMatchInlineSnapshot(`
      "   0s  workflow order('o-1') started
         0s  wait for signal nobody, at most 1h, started
         0s  activity charge({ cents: 700 }) failed: The bank is busy.; again in 10s
        10s  activity charge completed, attempt 2 → { receipt: 'r-700' }
        10s  state paid = true
        10s  activity charge({ cents: 1 }) failed: The bank is busy.; again in 10s
        20s  activity charge completed, attempt 2 → { receipt: 'r-1' }
        20s  activity note completed
        20s  activity refund failed for good: no such receipt
         1h  wait for signal nobody, at most 1h, is over
         1h  sleep of 1d started
      1d 1h  sleep of 1d is over
      1d 1h  wait for signal approved, at most 7d, started
         2d  signal approved({ by: 'ada' }) received
         2d  child parcel('o-1') scheduled
         2d  child parcel started
         2d  child parcel completed → 'o-1 packed'
         2d  workflow completed → [ 'ada', 'o-1 packed' ]"
    `);
    expect((await played()).timeline).toBe(timeline);
  });

  it("tells of failures, cancellation, attributes and messages", async () => {
    const teller = workflow({ name: "teller", state: { initial: { n: 0 } } }, async (ctx) => {
      ctx.attributes.set({ shop: "s" });
      ctx.state.update(() => ({ n: 1 }));
      ctx.sideEffect("draw", () => 4);
      await ctx.signal(ctx.runId, approved, { by: "self" });
      await ctx.waitFor(approved);
      await Promise.race([ctx.sleep("1h"), ctx.sleep("1s")]);
      throw new Error("enough");
    });
    const env = environment({ workflows: [teller] });
    const run = await env.client.start(teller, undefined, { id: "t-1" });
    await env.result(run).catch(() => {});
    const other = await env.client.start(teller, undefined, { id: "t-2" });
    await env.runUntilIdle();
    await other.cancel({ reason: "whim" });
    await env.result(other).catch(() => {});
    expect(await env.timeline(run)).toMatchInlineSnapshot(`
      "0s  workflow teller started
      0s  attributes { shop: 's' }
      0s  state = { n: 1 }
      0s  side effect draw → 4
      0s  signal approved({ by: 'self' }) to run t-1 sent
      0s  signal approved({ by: 'self' }) to run t-1 accepted
      0s  wait for signal approved started
      0s  signal approved({ by: 'self' }) received
      0s  sleep of 1h started
      0s  sleep of 1s started
      1s  sleep of 1s is over
      1s  workflow failed: enough"
    `);
    expect(await env.timeline(other)).toMatchInlineSnapshot(`
      "0s  workflow teller started
      0s  attributes { shop: 's' }
      0s  state = { n: 1 }
      0s  side effect draw → 4
      0s  signal approved({ by: 'self' }) to run t-2 sent
      0s  signal approved({ by: 'self' }) to run t-2 accepted
      0s  wait for signal approved started
      0s  signal approved({ by: 'self' }) received
      0s  sleep of 1h started
      0s  sleep of 1s started
      0s  cancel requested: whim
      0s  workflow cancelled: whim"
    `);
  });
});

describe("expectHistory", () => {
  it("accepts what happened", async () => {
    const { history } = await played();
    expectHistory(history)
      .ran(charge)
      .ran(charge, { times: 2 })
      .ran(charge, { times: 1, input: { cents: 700 }, output: { receipt: "r-700" }, attempts: 2 })
      .ran("note", { input: undefined })
      .ran(refund, { status: "failed" })
      .neverRan("ship")
      .received(approved, { payload: { by: "ada" }, times: 1 })
      .slept("1d")
      .slept("2d", { times: 0 })
      .inOrder("WORKFLOW_STARTED", charge, charge, refund, approved, parcel)
      .ended("completed", { output: ["ada", "o-1 packed"] });
  });

  const refused: readonly (readonly [string, (e: HistoryExpectation) => void, Partial<AssertionError>])[] = [
    [
      "ran activity charge never, not once as expected",
      (e) => e.ran(charge, { times: 1, attempts: 3 }),
      { actual: [{ attempts: 2 }, { attempts: 2 }], expected: [{ attempts: 3 }] },
    ],
    ["ran activity charge 2 times, not once", (e) => e.ran(charge, { times: 1 }), {}],
    ["ran activity ship never, not at least once", (e) => e.ran("ship"), { actual: [], expected: [{}] }],
    ["ran activity note once, not never", (e) => e.neverRan("note"), { actual: [{}], expected: [] }],
    [
      "received signal approved never, not at least once as expected",
      (e) => e.received(approved, { payload: { by: "eve" } }),
      { actual: [{ payload: { by: "ada" } }], expected: [{ payload: { by: "eve" } }] },
    ],
    ["slept for 2d never, not at least once as expected", (e) => e.slept("2d"), {}],
    [
      "has no charge after approved",
      (e) => e.inOrder(approved, charge),
      { actual: ["charge", "charge", "approved"], expected: ["approved", "charge"] },
    ],
    ["has no charge after charge, charge", (e) => e.inOrder(charge, charge, charge), {}],
    [
      "did not end failed as expected",
      (e) => e.ended("failed", { failure: { code: "timed-out" } }),
      { actual: { status: "completed", failure: {} }, expected: { status: "failed", failure: { code: "timed-out" } } },
    ],
    ["did not end completed as expected", (e) => e.ended("completed", { output: [] }), {}],
    ["is not open", (e) => e.isOpen(), { actual: "completed", expected: "open" }],
  ];
  it.each(refused)("says: %s", async (message, assertion, details) => {
    const { history } = await played();
    let thrown: unknown;
    try {
      assertion(expectHistory(history));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AssertionError);
    expect((thrown as Error).message).toMatch(`Run "o-1" of workflow "order" ${message}.\n\n`);
    expect((thrown as Error).message).toContain(
      "activity charge({ cents: 700 }) failed: The bank is busy.; again in 10s\n",
    );
    expect(thrown).toMatchObject(details);
  });

  it("knows how a run failed", async () => {
    const failing = workflow({ name: "failing" }, (ctx) => ctx.run(refund, undefined));
    const env = environment({ workflows: [failing] });
    const run = await env.client.start(failing, undefined);
    await env.result(run).catch(() => {});
    const history = await env.history(run);
    expectHistory(history).ended("failed", { failure: { code: "activity-failed" } });
    expect(history.failure?.cause?.message).toBe("no such receipt");
    expect(() => expectHistory(history).ended("failed", { failure: { code: "timed-out" } })).toThrow(
      /did not end failed/u,
    );
  });
});
