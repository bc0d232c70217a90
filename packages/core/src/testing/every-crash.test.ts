import { AssertionError } from "node:assert";
import { describe, expect, it } from "vitest";
import { recordingLogger } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory } from "../memory.ts";
import type { TestEnvironment } from "./test-environment.ts";
import { everyCrash } from "./every-crash.ts";
import { exportHistory } from "./export-history.ts";
import { replayHistory } from "./replay-history.ts";

const charge = activity({ name: "charge", retry: { maximumAttempts: 2, delay: "1m" } }, async (id: string) => id);
const approved = signal<string>("approved");
const parcel = workflow({ name: "parcel" }, (ctx, id: string) => ctx.run("pack", () => `${id} packed`));
const order = workflow({ name: "order", state: { initial: { receipt: "" } } }, async (ctx, id: string) => {
  ctx.state.set("receipt", await ctx.run(charge, id));
  await ctx.sleep("1h");
  const by = await ctx.waitFor(approved, { timeout: "7d" });
  return `${await ctx.child(parcel, id)} for ${by}`;
});
const options = { workflows: [order, parcel], logger: recordingLogger().logger };

async function buy(env: TestEnvironment): Promise<void> {
  const charged = env.mock(charge, async (id, { attempt }) => {
    if (attempt === 1) throw new Error("busy");
    return `receipt of ${id}`;
  });
  const run = await env.client.start(order, "o-1");
  await env.skip("1d");
  await run.signal(approved, "ada", { id: "once" });
  expect(await env.result(run)).toBe("o-1 packed for ada");
  expect(await run.state()).toEqual({ receipt: "receipt of o-1" });
  // I13: no more executions than attempts and crashes.
  expect(charged.calls.length).toBeLessThanOrEqual(3);
  expect(new Set(charged.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  await replayHistory(order, await exportHistory(env.storage, run.runId), { prefixes: true });
}

describe("everyCrash", () => {
  it("proves that a workflow ends the same wherever its worker crashes (I9, I12, I13, I18)", async () => {
    const crashes = await everyCrash(options, buy);
    // A write each for: retrying, completed, timer fired and wait, signal and child, its creation, … and both ways.
    expect(crashes).toBeGreaterThan(15);
    expect(await everyCrash({ ...options, cacheRuns: 0 }, buy)).toBe(crashes);
  });

  it("makes a store for each play, by its function", async () => {
    let stores = 0;
    const crashes = await everyCrash({ ...options, storage: (clock) => (stores++, memory({ clock })) }, buy);
    // Without a crash, with each, and one for either way in which there was none.
    expect(stores).toBe(crashes + 3);
    await expect(everyCrash({ ...options, storage: memory() as never }, buy)).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });

  it("says where it crashed when the scenario fails", async () => {
    const failure = await everyCrash(options, async (env) => {
      const charged = env.mock(charge, (id) => id);
      const run = await env.client.start(order, "o-1", { id: "o-1" });
      await env.skip("1m");
      expect(charged.calls.length).toBe(1);
      await run.terminate();
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AssertionError);
    const { message, actual, expected, cause } = failure as AssertionError;
    expect(message).toContain('With a crash before the commit of run "o-1": ACTIVITY_COMPLETED');
    expect([actual, expected]).toEqual([2, 1]);
    expect(cause).toMatchObject({ name: "AssertionError", message: expect.stringContaining("to be 1") });
  });

  it("throws what the scenario throws without a crash", async () => {
    const error = new TypeError("a mistake");
    await expect(everyCrash(options, () => Promise.reject(error))).rejects.toBe(error);
  });

  it("refuses a scenario that proves nothing", async () => {
    await expect(everyCrash(options, async () => {})).rejects.toThrow(/wrote nothing/u);
  });
});
