import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { claimOne } from "../../test/port.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");

describe.each(CACHES)("cancel, with %i runs kept in memory", (cacheRuns) => {
  it("before the first turn ends the run without running its code (I17)", async () => {
    let ran = false;
    const definition = workflow({ name: "definition" }, async () => {
      ran = true;
    });
    const env = environment({ workflows: [definition], cacheRuns, replays: false });
    const run = await env.client.start(definition, undefined);
    await run.signal(go, "unseen");
    await run.cancel({ reason: "changed my mind" });
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({
      code: "run-cancelled",
      reason: "changed my mind",
      runId: run.runId,
    });
    expect(ran).toBe(false);
    expect(await run.status()).toBe("cancelled");
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_RECEIVED",
      "CANCEL_REQUESTED",
      "WORKFLOW_CANCELLED",
    ]);
  });

  it("before a start in the future ends the run at once", async () => {
    const definition = workflow({ name: "definition" }, async () => {});
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined, { startAt: "1d" });
    await run.cancel();
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
  });

  it("twice, also by the parent's end, is recorded once (I17)", async () => {
    const child = workflow({ name: "child" }, (ctx) => ctx.sleep("1d"));
    const parent = workflow({ name: "parent" }, async (ctx) => {
      void ctx.child(child, undefined, { id: "kid", queue: "elsewhere" });
      await ctx.sleep("1h");
    });
    const env = environment({ workflows: [parent, child], cacheRuns });
    await env.client.start(parent, undefined);
    await env.runUntilIdle();
    const kid = env.client.handle("kid");
    await kid.cancel({ reason: "mine" });
    await kid.cancel({ reason: "again" });
    await env.skip("1h");
    expect((await env.storage.getRun("kid"))?.task?.unread).toBe(2);
    const { createWorker } = await import("./worker.ts");
    const worker = createWorker({
      storage: env.storage,
      runtime: env.runtime,
      workflows: [child],
      queues: ["elsewhere"],
      cacheRuns,
    });
    await worker.runUntilIdle();
    await expect(kid.result()).rejects.toMatchObject({ reason: "mine" });
    expect((await kid.history()).filter(({ type }) => type === "CANCEL_REQUESTED")).toHaveLength(1);
  });

  it("while suspended wakes the run, which cleans up with activities and ends as cancelled", async () => {
    const cleaned: unknown[] = [];
    const clean = activity({ name: "clean" }, async (what: string) => void cleaned.push(what));
    const definition = workflow({ name: "definition" }, async (ctx) => {
      try {
        await ctx.waitFor(go);
      } catch (error) {
        await ctx.run(clean, `${(error as Error).name} ${ctx.cancelled}`);
        await ctx.sleep("1m");
        throw error;
      }
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.skip("1h");
    await run.cancel({ reason: "enough" });
    await run.cancel({ reason: "again" });
    await env.runUntilIdle();
    expect(cleaned).toEqual(["CancelledError true"]);
    expect(await run.status()).toBe("suspended");
    await run.cancel({ reason: "and again" });
    await env.skip("1m");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    expect((await run.history()).filter(({ type }) => type === "CANCEL_REQUESTED")).toHaveLength(1);
    // It was asked before, and heard.
    await run.cancel();
  });

  it("aborts the activity that is running, frees its slot, and its late result changes nothing", async () => {
    const reasons: unknown[] = [];
    const late: (() => void)[] = [];
    const hang = activity({ name: "hang" }, (_: undefined, { signal: aborted }) => {
      aborted.addEventListener("abort", () => void reasons.push((aborted.reason as Error).name));
      return new Promise<string>((resolve) => late.push(() => resolve("late")));
    });
    const definition = workflow({ name: "definition" }, (ctx) => ctx.run(hang, undefined));
    const other = workflow({ name: "other" }, (ctx) => ctx.run("quick", () => "quick"));
    const env = environment({ workflows: [definition, other], cacheRuns, concurrency: { runs: 5, activities: 1 } });
    const run = await env.client.start(definition, undefined);
    const waiting = await env.client.start(other, undefined);
    await env.skip("1s");
    await run.cancel();
    await env.skip("1s");
    for (const settle of late) settle();
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
    expect(reasons).toEqual(["CancelledError"]);
    expect(await waiting.result()).toBe("quick");
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_SCHEDULED",
      "CANCEL_REQUESTED",
      "WORKFLOW_CANCELLED",
    ]);
  });

  it("aborts the activity at once, not only when the clean-up is over", async () => {
    let aborted = false;
    const definition = workflow({ name: "definition" }, async (ctx) => {
      try {
        await ctx.run("hang", ({ signal: fired }) => {
          fired.addEventListener("abort", () => {
            aborted = true;
          });
          return new Promise<void>(() => {});
        });
      } finally {
        await ctx.sleep("1h");
      }
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    await run.cancel();
    await env.skip("10s");
    expect(aborted).toBe(true);
    expect(await run.status()).toBe("suspended");
    await env.skip("1h");
    expect(await run.status()).toBe("cancelled");
  });

  it("during the delay before a retry: there is no further attempt", async () => {
    let attempts = 0;
    const failing = activity({ name: "failing", retry: { delay: "1h" } }, async () => {
      attempts++;
      throw new Error("no");
    });
    const definition = workflow({ name: "definition" }, (ctx) => ctx.run(failing, undefined));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.runUntilIdle();
    await run.cancel();
    await env.skip("1d");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
    expect(attempts).toBe(1);
  });

  it("swallowed by the code makes it complete", async () => {
    const definition = workflow({ name: "definition" }, (ctx) => ctx.sleep("1d").catch(() => "stayed"));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.runUntilIdle();
    await run.cancel();
    await env.runUntilIdle();
    expect(await run.result()).toBe("stayed");
  });

  it("that comes when the code has ended, but not been told, does not change the end", async () => {
    const definition = workflow({ name: "definition" }, (ctx) =>
      ctx.run("last", async () => {
        await ctx0.cancel();
        return "done";
      }),
    );
    const env = environment({ workflows: [definition], cacheRuns, replays: false });
    const run = await env.client.start(definition, undefined);
    const ctx0 = run;
    await env.runUntilIdle();
    expect(await run.result()).toBe("done");
  });

  it("of a run that is not there says so", async () => {
    const env = environment({ workflows: [], cacheRuns });
    await expect(env.client.handle("nobody").cancel()).rejects.toMatchObject({ code: "run-not-found" });
  });
});

describe.each(CACHES)("terminate, with %i runs kept in memory", (cacheRuns) => {
  const wait = workflow({ name: "wait" }, async (ctx) => {
    try {
      await ctx.waitFor(go);
    } finally {
      await ctx.run("clean", () => null);
    }
  });

  it("a run that was never claimed needs no worker", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await run.terminate({ reason: "wrong" });
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "wrong" });
    expect((await run.history()).map(({ type, data }) => [type, data])).toEqual([
      ["WORKFLOW_STARTED", { workflow: "wait" }],
      ["WORKFLOW_CANCELLED", { reason: "wrong", terminated: true }],
    ]);
    await env.runUntilIdle();
    expect(await run.history()).toHaveLength(2);
  });

  it("a parked run does not run its code again, and records what had arrived", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    await env.client.handle(run.runId).signal(signal("other"), undefined);
    await run.terminate();
    await env.runUntilIdle();
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_AWAITED",
      "SIGNAL_RECEIVED",
      "WORKFLOW_CANCELLED",
    ]);
    await run.terminate();
    await expect(run.cancel()).rejects.toMatchObject({ code: "run-closed" });
    expect(await env.storage.getRun(run.runId)).toMatchObject({ status: "cancelled", task: null });
  });

  it("a blocked run", async () => {
    const stuck = workflow({ name: "stuck" }, () => new Promise<void>(() => {}));
    const env = environment({ workflows: [stuck], cacheRuns, replays: false });
    const run = await env.client.start(stuck, undefined);
    await env.runUntilIdle();
    expect((await run.describe()).blocked?.code).toBe("non-durable-await");
    await run.terminate({ reason: "hopeless" });
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "hopeless" });
  });

  it("a run that a worker holds: that worker ends it, and aborts its activity", async () => {
    let aborted = false;
    const hang = activity({ name: "hang" }, (_: undefined, { signal: fired }) => {
      fired.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise<void>(() => {});
    });
    const definition = workflow({ name: "definition" }, (ctx) => ctx.run(hang, undefined));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    await run.terminate({ reason: "now" });
    await env.skip("1s");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "now" });
    expect(aborted).toBe(true);
  });

  it("a run whose worker has died, when its lease is over", async () => {
    const env = environment({ workflows: [], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await claimOne(env.storage, { workerId: "dead", handlers: { workflows: ["wait"], activities: [] } });
    await run.terminate();
    expect(await run.status()).toBe("running");
    env.clock.advance(10_000);
    await run.terminate();
    expect(await run.status()).toBe("cancelled");
  });

  it("a run of another incarnation than the handle's is not there", async () => {
    const env = environment({ workflows: [], cacheRuns });
    const run = await env.client.start(wait, undefined, { id: "again" });
    await run.terminate();
    env.clock.advance(2 * 3_600_000);
    await env.client.purge({ closedBefore: new Date(env.clock.now()) });
    const next = await env.client.start(wait, undefined, { id: "again" });
    await expect(run.terminate()).rejects.toMatchObject({ code: "run-not-found" });
    await expect(run.cancel()).rejects.toMatchObject({ code: "run-not-found" });
    await expect(run.signal(go, "x")).rejects.toMatchObject({ code: "run-not-found" });
    expect(await next.status()).toBe("pending");
  });
});
