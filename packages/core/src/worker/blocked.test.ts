import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { claimOne } from "../../test/port.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { StorageBackend } from "../storage.ts";
import { createWorker } from "./worker.ts";

const go = signal<string>("go");

/** Claims like a worker, and is never heard of again. */
async function die(storage: StorageBackend, instance: string): Promise<void> {
  await claimOne(storage, {
    workerId: "killed",
    workerInstance: instance,
    handlers: { workflows: ["killer"], activities: [] },
  });
}

describe.each(CACHES)("a run that its code cannot carry on, with %i runs kept in memory", (cacheRuns) => {
  const before = workflow({ name: "order" }, async (ctx) => {
    await ctx.run("charge", () => 1);
    await ctx.waitFor(go);
    await ctx.run("ship", () => 2);
    return "shipped";
  });
  const incompatible = workflow({ name: "order" }, async (ctx) => {
    await ctx.run("bill", () => 1);
    await ctx.waitFor(go);
    return "never";
  });

  /** A run that has waited under the code before, and then met code that cannot carry it on. */
  async function met() {
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [before], cacheRuns, storage, clock });
    const run = await env.client.start(before, undefined);
    await env.runUntilIdle();
    const deployed = environment({
      workflows: [incompatible],
      cacheRuns,
      storage,
      clock,
      seed: "deployed",
      replays: false,
    });
    await run.signal(go, "now");
    await deployed.runUntilIdle();
    return { env, deployed, run };
  }

  it("is blocked with both sides named, takes messages meanwhile, and goes on after the code was mended (I9)", async () => {
    const { env, deployed, run } = await met();
    const { blocked, why, status } = await run.describe();
    expect(status).toBe("suspended");
    expect(blocked).toMatchObject({
      code: "determinism",
      tries: 1,
      message: expect.stringMatching(
        /seq 2 history has ACTIVITY_COMPLETED "charge" as command 1, but the code asked for ACTIVITY_SCHEDULED "bill"/u,
      ) as unknown,
    });
    expect(why).toContain("blocked (determinism)");
    expect(deployed.logs).toContainEqual(expect.objectContaining({ level: "warn", message: blocked!.message }));
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED",
      "SIGNAL_AWAITED",
    ]);
    expect((await env.client.list({ blocked: true })).runs.map(({ runId }) => runId)).toEqual([run.runId]);

    // Not woken by messages, but tried again after a second, five times, then after two, …
    await run.signal(go, "again");
    await deployed.runUntilIdle();
    expect((await run.describe()).blocked?.tries).toBe(1);
    await deployed.skip("1s");
    expect((await run.describe()).blocked?.tries).toBe(2);
    await deployed.skip(999);
    expect((await run.describe()).blocked?.tries).toBe(2);
    await deployed.skip(1);
    expect((await run.describe()).blocked?.tries).toBe(3);
    await deployed.skip("3s");
    expect((await run.describe()).blocked?.tries).toBe(6);
    await deployed.skip(1_999);
    expect((await run.describe()).blocked?.tries).toBe(6);
    await deployed.skip(1);
    expect((await run.describe()).blocked?.tries).toBe(7);
    // … and every hour at last.
    await deployed.skip("1d");
    const { tries } = (await run.describe()).blocked!;
    await deployed.skip("1h");
    expect((await run.describe()).blocked?.tries).toBe(tries + 1);

    await env.skip("1h");
    expect(await run.result()).toBe("shipped");
    expect((await run.history()).filter(({ type }) => type === "SIGNAL_RECEIVED")).toHaveLength(2);
  });

  it("goes on at once after unblock()", async () => {
    const { env, run } = await met();
    expect(await run.unblock()).toBe(true);
    expect(await run.unblock()).toBe(false);
    await env.runUntilIdle();
    expect(await run.result()).toBe("shipped");
    expect(await run.unblock()).toBe(false);
    await expect(env.client.handle("nobody").unblock()).rejects.toMatchObject({ code: "run-not-found" });
  });

  it("because it awaits what is not durable: right away, keeping what it has done, and goes on after the code was mended", async () => {
    const bare = workflow({ name: "order" }, async (ctx) => {
      await ctx.run("charge", () => 1);
      await new Promise((resolve) => void setTimeout(resolve, 5));
      return "never";
    });
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [bare], cacheRuns, storage, clock, replays: false });
    const run = await env.client.start(bare, undefined);
    await env.runUntilIdle();
    await new Promise((resolve) => void setTimeout(resolve, 20));
    expect((await run.describe()).blocked).toMatchObject({
      code: "non-durable-await",
      message: expect.stringContaining("Move it into an activity") as unknown,
    });
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "ACTIVITY_COMPLETED"]);
    const mended = workflow({ name: "order" }, (ctx) => ctx.run("charge", () => 2));
    const deployed = environment({ workflows: [mended], cacheRuns, storage, clock, seed: "deployed" });
    await deployed.skip("30s");
    expect(await run.result()).toBe(1);
  });

  it("because its history cannot be read: blocked as unreadable, and others go on", async () => {
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [before], cacheRuns, storage, clock, replays: false });
    const run = await env.client.start(before, undefined);
    const other = await env.client.start(before, undefined);
    await env.storage.deliver([{ runId: run.runId, dedupeId: "x", external: true, data: "not ours" }]);
    await env.runUntilIdle();
    await other.signal(go, "now");
    await env.runUntilIdle();
    expect(await other.result()).toBe("shipped");
    expect((await run.describe()).blocked?.code).toBe("unreadable");
    await run.terminate().catch(() => {});
  });
});

describe("a run that kills its worker", () => {
  const killer = workflow({ name: "killer" }, async () => "survived");

  it("is blocked as poisoned after the limit, before its code runs again, and others are unharmed", async () => {
    let ran = 0;
    const counted = workflow({ name: "killer" }, async () => void ran++);
    const env = environment({ workflows: [counted], maxDeliveries: 3 });
    const run = await env.client.start(killer, undefined);
    for (let death = 1; death <= 3; death++) {
      await die(env.storage, `instance-${death}`);
      env.clock.advance(10_000);
    }
    const healthy = await env.client.start(killer, undefined);
    await env.runUntilIdle();
    expect(await healthy.status()).toBe("completed");
    expect(ran).toBe(1);
    expect((await run.describe()).blocked).toMatchObject({
      code: "poisoned",
      message: expect.stringContaining("handed out 3 times") as unknown,
    });
    // It stays so until somebody has looked at it.
    await env.skip("1d");
    expect((await run.describe()).blocked?.code).toBe("poisoned");
    await run.unblock();
    await env.runUntilIdle();
    expect(await run.status()).toBe("completed");
  });

  it("is not poisoned by fewer deaths, and a commit counts anew", async () => {
    const slow = workflow({ name: "killer" }, async (ctx) => {
      await ctx.sleep("1h");
      await ctx.sleep("1h");
      return "survived";
    });
    const env = environment({ workflows: [slow], maxDeliveries: 3 });
    const run = await env.client.start(slow, undefined);
    for (let round = 0; round < 2; round++) {
      for (let death = 1; death <= 2; death++) {
        await die(env.storage, `instance-${round}-${death}`);
        env.clock.advance(10_000);
      }
      await env.skip("1s");
      env.clock.advance(3_600_000);
    }
    await env.runUntilIdle();
    expect(await run.result()).toBe("survived");
  });

  it("is not poisoned by workers that hand it back", async () => {
    const hang = workflow({ name: "killer" }, (ctx) =>
      ctx.run("hang", () => new Promise<void>(() => {}), { timeout: "2m", retry: 1 }).catch(() => "gave up"),
    );
    const env = environment({ workflows: [hang], maxDeliveries: 2 });
    const run = await env.client.start(hang, undefined);
    for (let round = 0; round < 5; round++) {
      const worker = createWorker({ storage: env.storage, runtime: env.runtime, workflows: [hang], maxDeliveries: 2 });
      const running = worker.runUntilIdle();
      await env.runtime.calm();
      await worker.stop({ grace: 0 });
      await running;
    }
    expect((await run.describe()).blocked).toBeNull();
    await env.skip("2m");
    expect(await run.result()).toBe("gave up");
  });
});

describe("a worker without the code", () => {
  it("never takes the run, nor fails it; one with the code does", async () => {
    const known = workflow({ name: "known" }, async () => "done");
    const unknown = workflow({ name: "unknown" }, async () => "done");
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [known], storage, clock });
    const run = await env.client.start(unknown, undefined);
    await env.skip("1d");
    expect(await run.status()).toBe("pending");
    expect((await run.describe()).why).toContain('has workflow "unknown"');
    const deployed = environment({ workflows: [unknown], storage, clock, seed: "deployed" });
    await deployed.runUntilIdle();
    expect(await run.result()).toBe("done");
  });

  it("nor one of another queue", async () => {
    const known = workflow({ name: "known", queue: "gpu" }, async () => "done");
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [known], storage, clock });
    const run = await env.client.start(known, undefined);
    await env.skip("1d");
    expect(await run.status()).toBe("pending");
    const gpu = environment({ workflows: [known], queues: ["gpu"], storage, clock, seed: "gpu" });
    await gpu.runUntilIdle();
    expect(await run.result()).toBe("done");
  });
});
