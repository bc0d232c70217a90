import { describe, expect, it } from "vitest";
import { environment, type TestedEnvironment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import type { RunHandle } from "../client/handle.ts";
import type { CodeCall } from "../worker/interceptor.ts";
import { Crashes } from "./crashes.ts";
import type { Write } from "./mortal-storage.ts";

const retry = { maximumAttempts: 3, delay: "1s", jitter: 0 } as const;
const pack = activity({ name: "pack", retry }, async (orderId: string) => `${orderId} packed`);
const charge = activity({ name: "charge", retry }, async (orderId: string) => `${orderId} charged`);
const ship = activity({ name: "ship", retry }, async (orderId: string) => `${orderId} shipped`);
const order = workflow({ name: "order" }, async (ctx, orderId: string) => {
  await ctx.run(pack, orderId);
  await ctx.run(charge, orderId);
  return ctx.run(ship, orderId);
});
const LEASE_MS = 15_000;

interface Scene {
  readonly env: TestedEnvironment;
  readonly run: RunHandle<string>;
  /** How often each activity was executed. */
  readonly executed: () => Record<string, number>;
}

async function scene(): Promise<Scene> {
  const env = environment({ workflows: [order] });
  const mocks = { pack, charge, ship };
  const calls = Object.entries(mocks).map(
    ([name, definition]) => [name, env.mock(definition, (orderId) => `${orderId} ${name}`)] as const,
  );
  const run = await env.client.start(order, "o-1", { id: "o-1" });
  return { env, run, executed: () => Object.fromEntries(calls.map(([name, mock]) => [name, mock.calls.length])) };
}

describe("env.crashAfter", () => {
  it("repeats the activity that was not recorded, and none that was (I13)", async () => {
    const { env, run, executed } = await scene();
    const startedAt = env.clock.now();
    const crash = env.crashAfter(charge);
    await env.runUntilIdle();
    expect(crash.happened).toBe(true);
    expect(crash.where).toBe('after attempt 1 of activity "charge" of run "o-1"');
    expect(await run.status()).toBe("running");
    expect(executed()).toEqual({ pack: 1, charge: 1, ship: 0 });
    await env.skip(LEASE_MS - 1);
    expect(executed()).toEqual({ pack: 1, charge: 1, ship: 0 });
    await env.skip(1);
    expect(await run.result()).toBe("o-1 ship");
    expect(executed()).toEqual({ pack: 1, charge: 2, ship: 1 });
    expect(env.clock.now() - startedAt).toBe(LEASE_MS);
  });

  it("with `recorded`, repeats nothing (I12)", async () => {
    const { env, run, executed } = await scene();
    const crash = env.crashAfter("charge", { recorded: true });
    await env.runUntilIdle();
    expect(crash.where).toBe('after the commit of run "o-1": ACTIVITY_COMPLETED');
    expect(executed()).toEqual({ pack: 1, charge: 1, ship: 0 });
    expect(await env.result(run)).toBe("o-1 ship");
    expect(executed()).toEqual({ pack: 1, charge: 1, ship: 1 });
  });

  it("counts executions, failed attempts too, and happens once", async () => {
    const { env, run } = await scene();
    const charged = env.mock(charge, async (_, { attempt }) => {
      if (attempt < 3) throw new Error("busy");
      return "charged";
    });
    const crash = env.crashAfter(charge, { nth: 2 });
    await env.skip("1s");
    expect(crash.happened).toBe(true);
    expect(await env.result(run)).toBe("o-1 ship");
    expect(charged.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 2, 3]);
    await env.result(await env.client.start(order, "o-2"));
    expect(charged.calls.map(({ attempt }) => attempt).slice(4)).toEqual([1, 2, 3]);
  });

  it("with `recorded`, a failed attempt is not made again", async () => {
    const { env, run } = await scene();
    const charged = env.mock(charge, async (_, { attempt }) => {
      if (attempt < 2) throw new Error("busy");
      return "charged";
    });
    const crash = env.crashAfter(charge, { recorded: true });
    expect(await env.result(run)).toBe("o-1 ship");
    expect(crash.where).toMatch(/ACTIVITY_RETRYING$/u);
    expect(charged.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it("waits for the record of the very execution, when several run at once", async () => {
    const both = workflow({ name: "both" }, (ctx) => Promise.all([ctx.run(pack, "a"), ctx.run(pack, "b")]));
    const env = environment({ workflows: [both] });
    const packed = env.mock(pack, async (what) => {
      if (what === "a") await new Promise((resolve) => void env.runtime.after(1_000, () => resolve(null)));
      return what;
    });
    const crash = env.crashAfter(pack, { nth: 2, recorded: true });
    const run = await env.client.start(both, undefined);
    expect(await env.result(run)).toEqual(["a", "b"]);
    expect(crash.happened).toBe(true);
    expect(packed.calls.length).toBe(2);
  });

  it("has not happened when nothing fits", async () => {
    const { env, run } = await scene();
    const crash = env.crashAfter("chrage");
    await env.result(run);
    expect([crash.happened, crash.where]).toEqual([false, null]);
    expect(() => env.crashAfter(charge, { nth: 0 })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("env.crashBefore", () => {
  it("dies with the activity not executed", async () => {
    const { env, run, executed } = await scene();
    env.crashBefore(charge);
    await env.runUntilIdle();
    expect(executed()).toEqual({ pack: 1, charge: 0, ship: 0 });
    expect(await env.result(run)).toBe("o-1 ship");
    expect(executed()).toEqual({ pack: 1, charge: 1, ship: 1 });
  });
});

describe("env.crashAt", () => {
  it("dies instead of the write, or with `recorded` before its answer", async () => {
    for (const recorded of [false, true]) {
      const { env, run, executed } = await scene();
      const crash = env.crashAt(2, { recorded });
      await env.runUntilIdle();
      expect(crash.where).toBe(`${recorded ? "after" : "before"} the commit of run "o-1": ACTIVITY_COMPLETED`);
      expect(await env.result(run)).toBe("o-1 ship");
      expect(executed()).toEqual({ pack: 1, charge: recorded ? 1 : 2, ship: 1 });
    }
  });
});

describe("env.crash", () => {
  const go = signal("go");
  const waiting = workflow({ name: "waiting" }, async (ctx) => {
    await ctx.run(pack, "w");
    await ctx.waitFor(go);
    await ctx.sleep("1h");
    return "went";
  });

  it("leaves nothing running until a restart: no timer fires, no message is read", async () => {
    const env = environment({ workflows: [waiting] });
    const run = await env.client.start(waiting, undefined);
    await env.runUntilIdle();
    env.crash();
    await run.signal(go, undefined);
    await env.runUntilIdle();
    await env.skip("1d");
    expect(await run.status()).toBe("suspended");
    await expect(env.result(run)).rejects.toThrow(/no worker has taken it/u);
    await env.restart();
    await env.runUntilIdle();
    env.crash();
    await env.skip("30d");
    expect((await env.history(run)).timers()).toMatchObject([{ status: "open" }]);
    await env.restart();
    expect(await env.result(run)).toBe("went");
  });

  it("leaves an activity running that nobody listens to any more; its next execution counts (I6)", async () => {
    const env = environment({ workflows: [order] });
    const ends: (() => void)[] = [];
    const packed = env.mock(pack, async (_, { attempt }) => {
      await new Promise<void>((resolve) => void ends.push(resolve));
      return `packed by execution ${ends.length}, attempt ${attempt}`;
    });
    const run = await env.client.start(order, "o-1");
    await env.skip("1s");
    env.crash();
    await env.restart();
    ends[0]!();
    await env.skip("20s");
    expect(packed.calls.map(({ status }) => status)).toEqual(["returned", "running"]);
    ends[1]!();
    await env.result(run);
    expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED").length).toBe(3);
  });

  it("closes (I28), also with a crash that is still to come", async () => {
    const env = environment({ workflows: [order], replays: false });
    const hanging = await env.client.start(order, "o-1");
    env.mock(pack, () => new Promise(() => {}));
    await env.skip("1s");
    env.crashAt(1);
    await env.close();
    expect(env.runtime.nextDueAt()).toBeNull();
    await expect(hanging.status()).rejects.toMatchObject({ code: "misconfigured" });
  });
});

describe("env.restart", () => {
  const v1 = workflow({ name: "deployed" }, async (ctx) => {
    await ctx.sleep("1h");
    return "old";
  });
  const v2 = workflow({ name: "deployed" }, async (ctx) => {
    await ctx.sleep("1h");
    return `new, ${await ctx.run(pack, "it")}`;
  });

  it("deploys other code: runs go on with it, at once", async () => {
    const env = environment({ workflows: [v1], replays: false });
    const run = await env.client.start(v1, undefined);
    await env.skip("30m");
    const old = env.worker;
    await env.restart({ workflows: [v2] });
    expect(env.worker).not.toBe(old);
    const startedAt = env.clock.now();
    expect(await env.result(run)).toBe("new, it packed");
    expect(env.clock.now() - startedAt).toBe(30 * 60_000);
  });

  it("keeps its options for the worker that follows a crash", async () => {
    const env = environment({ workflows: [v1], replays: false });
    const run = await env.client.start(v1, undefined);
    await env.restart({ workflows: [v2], lease: "1m" });
    const crash = env.crashAfter(pack);
    const startedAt = env.clock.now();
    expect(await env.result(run)).toBe("new, it packed");
    expect(crash.happened).toBe(true);
    expect(env.clock.now() - startedAt).toBe(3_660_000);
  });

  it("leaves the worker alone when the options are none", async () => {
    const env = environment({ workflows: [v1] });
    const { worker } = env;
    await expect(env.restart({ workflows: [v1, v2] })).rejects.toMatchObject({ code: "duplicate-definition" });
    expect(env.worker).toBe(worker);
    const run = await env.client.start(v1, undefined);
    env.crashAt(1);
    expect(await env.result(run)).toBe("old");
  });
});

describe("a crash that waits for the record of an execution", () => {
  const call = {
    claim: { taskId: "r" },
    command: 7,
    context: { runId: "r", name: "pack", attempt: 1 },
    isRecorded: () => false,
  } as unknown as CodeCall;
  const commit = (type: string, command: number, taskId = "r"): Write => ({
    verb: "commitTasks",
    elements: [{ kind: "workflow", claim: { taskId, runId: "r" }, events: [{ type, command }], next: { do: "hold" } }],
  });

  it("lets every other commit pass", () => {
    const crashes = new Crashes();
    crashes.afterCode("pack", { recorded: true });
    const completed = commit("ACTIVITY_COMPLETED", 7);
    expect(crashes.isDueSince(completed, [{ status: "ok" }])).toBe(false);
    expect(crashes.isDueAfter(call)).toBe(false);
    expect(crashes.isDueSince(commit("ACTIVITY_COMPLETED", 6), [{ status: "ok" }])).toBe(false);
    expect(crashes.isDueSince(commit("ACTIVITY_COMPLETED", 7, "s"), [{ status: "ok" }])).toBe(false);
    expect(crashes.isDueSince(commit("ACTIVITY_SCHEDULED", 7), [{ status: "ok" }])).toBe(false);
    expect(crashes.isDueSince(completed, [{ status: "lease-lost" }])).toBe(false);
    expect(crashes.isDueSince(completed, [{ status: "ok" }])).toBe(true);
    expect(crashes.isDueSince(completed, [{ status: "ok" }])).toBe(false);
  });

  it("knows the end of an activity task", () => {
    const crashes = new Crashes();
    crashes.afterCode("pack", { recorded: true });
    expect(crashes.isDueAfter(call)).toBe(false);
    const end = (taskId: string): Write => ({
      verb: "commitTasks",
      elements: [{ kind: "activity", claim: { taskId, runId: "r" }, next: { do: "complete" } }],
    });
    expect(crashes.isDueSince(end("s"), [{ status: "ok" }])).toBe(false);
    expect(crashes.isDueSince(end("r"), [{ status: "ok" }])).toBe(true);
  });
});
