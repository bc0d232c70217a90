import { join } from "node:path";
import { activity, signal, workflow } from "@perdure/core";
import { virtualClock } from "@perdure/core/memory";
import { createTestEnvironment, everyCrash, expectHistory, exportHistory, replayHistory } from "@perdure/core/testing";
import { sqlite } from "@perdure/storage-sqlite";
import { describe, expect, test } from "vitest";
import { scratchDirectory } from "./scratch.ts";

const directory = scratchDirectory();
const DAY = 86_400_000;

const charge = activity({ name: "charge", retry: { maximumAttempts: 3, delay: "1h" } }, async (id: string) => id);
const approved = signal<string>("approved");
const parcel = workflow({ name: "parcel" }, (ctx, id: string) => ctx.run("pack", () => `${id} packed`));
const order = workflow({ name: "order" }, async (ctx, id: string) => {
  const receipt = await ctx.run(charge, id);
  await ctx.sleep("30d");
  const by = await ctx.waitFor(approved);
  return [receipt, by, await ctx.child(parcel, id)];
});
const workflows = [order, parcel];

describe("the test environment over SQLite, in virtual time", () => {
  test("crashes, restarts and waits a month in no time (I9, I12)", async () => {
    const began = performance.now();
    const env = createTestEnvironment({
      workflows,
      storage: (clock) => sqlite({ path: join(directory, "month.db"), clock }),
    });
    const charged = env.mock(charge, async (id, { attempt }) => {
      if (attempt === 1) throw new Error("busy");
      return `receipt of ${id}`;
    });
    const crash = env.crashAfter(charge, { nth: 2 });
    const recorded = env.crashAfter("pack", { recorded: true });
    const startedAt = env.clock.now();
    const run = await env.client.start(order, "o-1");
    await env.skip("2h");
    expect(crash.happened).toBe(true);
    env.crash();
    await env.skip("1d");
    await env.restart();
    await env.skip("30d");
    await run.signal(approved, "ada");
    expect(await env.result(run)).toEqual(["receipt of o-1", "ada", "o-1 packed"]);
    expect(recorded.happened).toBe(true);
    expect(charged.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 2]);
    expectHistory(await env.history(run))
      .ran(charge, { times: 1, attempts: 2 })
      .slept("30d")
      .inOrder(charge, approved, parcel)
      .ended("completed");
    expect(env.clock.now() - startedAt).toBeLessThan(32 * DAY);
    await replayHistory(order, await exportHistory(env.storage, run.runId), { prefixes: true });
    await env.close();
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("a second environment finds what the first has left in the file", async () => {
    const path = join(directory, "left.db");
    const clock = virtualClock();
    const first = createTestEnvironment({ workflows, clock, storage: (time) => sqlite({ path, clock: time }) });
    const { runId } = await first.client.start(order, "o-1");
    await first.skip("1d");
    first.crash();
    await first.close();
    const storage = sqlite({ path, clock });
    const second = createTestEnvironment({ workflows, clock, storage, seed: "second" });
    const run = second.client.handle(runId, order);
    await run.signal(approved, "eve");
    expect(await second.result(run)).toEqual(["o-1", "eve", "o-1 packed"]);
    await second.close();
    expect((await storage.getRun(runId))?.status).toBe("completed");
    await storage.close();
  });

  test("a scenario holds wherever its worker crashes (I3, I9, I12)", { timeout: 60_000 }, async () => {
    const storage = (clock: { now(): number }) => sqlite({ path: ":memory:", clock });
    const crashes = await everyCrash({ workflows, storage }, async (env) => {
      const charged = env.mock(charge, async (id) => `receipt of ${id}`);
      const run = await env.client.start(order, "o-1");
      await run.signal(approved, "ada");
      expect(await env.result(run)).toEqual(["receipt of o-1", "ada", "o-1 packed"]);
      expect(charged.calls.length).toBeLessThanOrEqual(2);
    });
    expect(crashes).toBeGreaterThan(10);
  });
});
