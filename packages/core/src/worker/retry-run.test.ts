import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");

/** Activities that note each attempt, and fail while they are named in `down`. */
function world() {
  const down = new Set<string>();
  const done: string[] = [];
  const work = activity(
    { name: "work", retry: { maximumAttempts: 2, delay: 0, jitter: 0 } },
    async (name: string, { attempt }) => {
      done.push(`${name}${attempt}`);
      if (down.has(name)) throw new Error(`${name} is down`);
      return name;
    },
  );
  return { down, done, work };
}

describe.each(CACHES)("handle.retry, with %i runs kept in memory", (cacheRuns) => {
  it("executes what failed anew from its first attempt, and nothing that succeeded", async () => {
    const { down, done, work } = world();
    const order = workflow({ name: "order", state: { initial: { status: "new" } } }, async (ctx) => {
      try {
        const charged = await ctx.run(work, "charge");
        ctx.state.set("status", "charged");
        return [charged, await ctx.run(work, "ship"), await ctx.run(work, "mail")];
      } catch (error) {
        ctx.state.set("status", "failed");
        throw error;
      }
    });
    const env = environment({ workflows: [order], cacheRuns });
    down.add("ship");
    const run = await env.client.start(order, undefined);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-failed" });
    expect(await run.state()).toEqual({ status: "failed" });

    const first = await run.retry();
    await env.runUntilIdle();
    expect(await first.status()).toBe("failed");
    down.delete("ship");
    const second = await first.retry();
    await env.runUntilIdle();
    expect(await second.result()).toEqual(["charge", "ship", "mail"]);
    expect(await second.state()).toEqual({ status: "charged" });
    expect(done).toEqual(["charge1", "ship1", "ship2", "ship1", "ship2", "ship1", "mail1"]);
  });

  it("tries all again that failed side by side at the end", async () => {
    const { down, done, work } = world();
    const fan = workflow({ name: "fan" }, async (ctx) => {
      const settled = await Promise.allSettled(["a", "b", "c"].map((name) => ctx.run(work, name)));
      for (const one of settled) if (one.status === "rejected") throw one.reason;
      return settled.length;
    });
    const env = environment({ workflows: [fan], cacheRuns });
    down.add("b").add("c");
    const run = await env.client.start(fan, undefined);
    await env.runUntilIdle();
    down.clear();
    const again = await run.retry();
    await env.runUntilIdle();
    expect(await again.result()).toBe(3);
    expect(done.filter((name) => name.startsWith("a"))).toEqual(["a1"]);
  });

  it("does not forget a compensation: code that compensated fails again, until it is mended", async () => {
    const { down, done, work } = world();
    let mended = false;
    const saga = workflow({ name: "saga" }, async (ctx) => {
      await ctx.run(work, "charge");
      try {
        return await ctx.run(work, "ship");
      } catch (error) {
        await ctx.run(work, "refund");
        if (mended) return "refunded";
        throw error;
      }
    });
    const env = environment({ workflows: [saga], cacheRuns, replays: false });
    down.add("ship");
    const run = await env.client.start(saga, undefined);
    await env.runUntilIdle();
    down.clear();
    const again = await run.retry();
    await env.runUntilIdle();
    await expect(again.result()).rejects.toMatchObject({ failure: { name: "ActivityFailedError" } });
    mended = true;
    const fixed = await run.retry();
    await env.runUntilIdle();
    expect(await fixed.result()).toBe("refunded");
    expect(done).toEqual(["charge1", "ship1", "ship2", "refund1"]);
  });

  it("of code that threw goes on with mended code from its end", async () => {
    const { done, work } = world();
    let mended = false;
    const buggy = workflow({ name: "buggy" }, async (ctx) => {
      await ctx.run(work, "a").catch(() => {});
      if (!mended) throw new TypeError("undefined is not a function");
      return ctx.run(work, "b");
    });
    const env = environment({ workflows: [buggy], cacheRuns, replays: false });
    const run = await env.client.start(buggy, undefined);
    await env.runUntilIdle();
    mended = true;
    const again = await run.retry();
    await env.runUntilIdle();
    expect(await again.result()).toBe("b");
    expect(done).toEqual(["a1", "b1"]);
  });

  it("starts a child that failed anew, and waits with what was open when time was up", async () => {
    const { down, work } = world();
    const kid = workflow({ name: "kid" }, (ctx) => ctx.run(work, "kid"));
    const parent = workflow({ name: "parent", timeout: "1h" }, async (ctx, patient: boolean) => {
      const child = await ctx.child(kid, undefined);
      return patient ? [child, await ctx.waitFor(go)] : [child];
    });
    const env = environment({ workflows: [parent, kid], cacheRuns });
    down.add("kid");
    const run = await env.client.start(parent, false);
    await env.runUntilIdle();
    down.clear();
    const again = await run.retry();
    const late = await env.client.start(parent, true);
    await env.runUntilIdle();
    expect(await again.result()).toEqual(["kid"]);
    await env.skip("1h");
    expect(await late.status()).toBe("failed");
    const inTime = await late.retry();
    await env.skip("59m");
    await inTime.signal(go, "now");
    await env.runUntilIdle();
    expect(await inTime.result()).toEqual(["kid", "now"]);
    expect((await env.client.list({ workflow: "kid" })).runs).toHaveLength(3);
  });

  it("of a cancelled run goes on as if nobody had asked, unless it has cleaned up", async () => {
    const { done, work } = world();
    const wait = workflow({ name: "wait" }, async (ctx, cleans: boolean) => {
      try {
        return await ctx.waitFor(go);
      } finally {
        if (cleans) await ctx.run(work, "clean");
      }
    });
    const env = environment({ workflows: [wait], cacheRuns });
    const [plain, cleaned, terminated, stillborn] = [
      await env.client.start(wait, false),
      await env.client.start(wait, true),
      await env.client.start(wait, true),
      await env.client.start(wait, false, { startAt: "1h" }),
    ];
    await env.runUntilIdle();
    for (const run of [plain, cleaned, stillborn]) await run.cancel();
    await terminated.terminate();
    await env.runUntilIdle();
    for (const run of [plain, terminated, stillborn]) {
      const again = await run.retry();
      await env.runUntilIdle();
      await again.signal(go, "on");
      await env.runUntilIdle();
      expect(await again.result()).toBe("on");
    }
    await expect(cleaned.retry()).rejects.toMatchObject({
      code: "nothing-to-retry",
      message: expect.stringMatching(/ACTIVITY_COMPLETED at seq 4.*handle\.fork\(\{ beforeSeq: 3 \}\)/u) as unknown,
    });
    const forked = await cleaned.fork({ beforeSeq: 3 });
    await forked.signal(go, "on");
    await env.runUntilIdle();
    expect(await forked.result()).toBe("on");
    expect(done).toEqual(["clean1", "clean1", "clean1"]);
    // What is kept of a cancel is answered as it was.
    const cleaning = await cleaned.fork({ beforeSeq: 4 });
    await env.runUntilIdle();
    expect(await cleaning.status()).toBe("cancelled");
    expect(done).toHaveLength(4);
  });

  it("of an open or completed run is refused", async () => {
    const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await expect(run.retry()).rejects.toMatchObject({
      code: "nothing-to-retry",
      message: expect.stringContaining("still open") as unknown,
    });
    await run.signal(go, "x");
    await env.runUntilIdle();
    await expect(run.retry()).rejects.toMatchObject({
      name: "UsageError",
      code: "nothing-to-retry",
      message: expect.stringContaining("has completed. Start a new run") as unknown,
    });
  });

  it("called fifty times at once with one id makes one run, which does its work once (I15)", async () => {
    const { down, done, work } = world();
    const order = workflow({ name: "order" }, (ctx) => ctx.run(work, "a"));
    const env = environment({ workflows: [order], cacheRuns });
    down.add("a");
    const run = await env.client.start(order, undefined);
    await env.runUntilIdle();
    down.clear();
    const retried = await Promise.all(Array.from({ length: 50 }, () => run.retry({ id: "again" })));
    await env.runUntilIdle();
    expect(await Promise.all(retried.map((one) => one.result()))).toEqual(retried.map(() => "a"));
    expect(done).toEqual(["a1", "a2", "a1"]);
    expect((await env.client.list()).runs).toHaveLength(2);
  });
});
