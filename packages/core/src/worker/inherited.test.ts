import { describe, expect, it } from "vitest";
import { CACHES, environment, faulty } from "../../test/environment.ts";
import { type Intercept, intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { isPerdureError } from "../errors/index.ts";
import { memory, virtualClock } from "../memory.ts";
import { GENERATIONS_HELD } from "./continue-run.ts";

const go = signal<number>("go");
const stop = signal("stop");

describe.each(CACHES)("what goes over to the next generation, with %i runs kept in memory", (cacheRuns) => {
  it("hands signals over that nobody waited for: in order, each once, through generations that do not look (I18)", async () => {
    const collect = workflow({ name: "collect" }, async (ctx, got: readonly number[]): Promise<readonly number[]> => {
      if (ctx.info.generation < 4) {
        await ctx.sleep("1h");
        return ctx.continueAsNew(got);
      }
      const next = [...got, await ctx.waitFor(go)];
      return next.length === 6 ? next : ctx.continueAsNew(next);
    });
    const env = environment({ workflows: [collect], cacheRuns });
    const run = await env.client.start(collect, []);
    for (let n = 0; n < 6; n++) {
      await run.signal(go, n);
      if (n % 2 === 1) await run.signal(stop, undefined);
      await env.skip("40m");
    }
    expect(await run.result()).toEqual([0, 1, 2, 3, 4, 5]);
    const last = (await run.history()).findLast(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW");
    expect(last?.data).toMatchObject({
      signals: [expect.any(Number), expect.any(Number)],
    });
  });

  it("hands ten thousand of them over", { timeout: 30_000 }, async () => {
    const count = 10_000;
    const hoard = workflow({ name: "hoard" }, async (ctx, n: number) => {
      if (n < 2) {
        await ctx.sleep("1h");
        return ctx.continueAsNew(n + 1);
      }
      let sum = 0;
      for (let at = 0; at < count; at++) {
        const got = await ctx.waitFor(go);
        if (got !== at) return `${got} instead of ${at}`;
        sum += got;
      }
      return sum;
    });
    const env = environment({ workflows: [hoard], cacheRuns, replays: false });
    const run = await env.client.start(hoard, 0);
    for (let at = 0; at < count; at += 500)
      await Promise.all(Array.from({ length: 500 }, (_, n) => run.signal(go, at + n)));
    await env.skip("3h");
    expect(await run.result()).toBe((count * (count - 1)) / 2);
  });

  it("a dedupe id is known to later generations", async () => {
    const collect = workflow({ name: "collect" }, async (ctx, got: readonly number[]): Promise<readonly number[]> => {
      const next = [...got, await ctx.waitFor(go)];
      return next.length === 2 ? next : ctx.continueAsNew(next);
    });
    const env = environment({ workflows: [collect], cacheRuns });
    const run = await env.client.start(collect, []);
    for (const [n, id] of [
      [1, "a"],
      [2, "a"],
      [3, "b"],
    ] as const) {
      await run.signal(go, n, { id });
      await env.runUntilIdle();
    }
    expect(await run.result()).toEqual([1, 3]);
  });

  it("hands a cancel request over: ctx.cancelled at once, CancelledError at the first wait, once (I17)", async () => {
    const cleanUp = workflow({ name: "clean-up" }, async (ctx, how: string): Promise<unknown> => {
      if (how !== "again") {
        try {
          await ctx.sleep("1d");
        } catch (error) {
          if (!isPerdureError(error, "cancelled")) throw error;
          return ctx.continueAsNew("again");
        }
      }
      const seen = ctx.cancelled;
      const thrown = await ctx.sleep("1h").then(
        () => "none",
        (error: { reason: string }) => error.reason,
      );
      await ctx.sleep("1h");
      expect([seen, thrown]).toEqual([true, "whim"]);
      return "cleaned";
    });
    const env = environment({ workflows: [cleanUp], cacheRuns });
    const run = await env.client.start(cleanUp, "");
    await env.runUntilIdle();
    await run.cancel({ reason: "whim" });
    await run.cancel({ reason: "again" });
    await env.skip("3h");
    expect(await run.result()).toBe("cleaned");
    expect((await run.history()).filter(({ type }) => type === "CANCEL_REQUESTED")).toHaveLength(1);
  });

  it("that was handed back before the new generation had its first turn is cancelled by its code (I17)", async () => {
    const last = workflow({ name: "last" }, async (ctx, n: number): Promise<unknown> => {
      if (n < GENERATIONS_HELD) return ctx.continueAsNew(n + 1);
      return ctx.sleep("1h").catch(() => ctx.run("clean up", () => "clean"));
    });
    const clock = virtualClock();
    const store = memory({ clock });
    const storage = intercepted(store, {
      claimTasks: async (call, _, nth) => {
        const data = JSON.stringify({ kind: "cancel" });
        if (nth === 2) await store.deliver([{ runId: "last", dedupeId: "cancel", external: true, data }]);
        return call();
      },
    });
    const env = environment({ workflows: [last], clock, storage, cacheRuns });
    const run = await env.client.start(last, 0, { id: "last" });
    await env.skip("1m");
    expect(await run.result()).toBe("clean");
  });

  it("ended without its code, its history has one cancel request, whatever came again (I17)", async () => {
    const last = workflow({ name: "last", timeout: "1d" }, async (ctx, n: number): Promise<unknown> => {
      await ctx.sleep("1h").catch(() => {});
      if (n === 0) return ctx.continueAsNew(1);
      return ctx.sleep("7d");
    });
    const env = environment({ workflows: [last], cacheRuns });
    const run = await env.client.start(last, 0);
    await env.runUntilIdle();
    await run.cancel();
    await env.runUntilIdle();
    const data = JSON.stringify({ kind: "cancel" });
    await env.storage.deliver([{ runId: run.runId, dedupeId: "another", external: false, data }]);
    await run.terminate();
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "TIMER_STARTED",
      "CANCEL_REQUESTED",
      "WORKFLOW_CONTINUED_AS_NEW",
      "TIMER_STARTED",
      "WORKFLOW_CANCELLED",
    ]);
  });

  describe("children of an earlier generation", () => {
    const kid = workflow({ name: "kid" }, async (ctx, how: string) => {
      const got = await ctx.waitFor(go);
      if (how === "fails") throw new Error("no");
      return got;
    });
    const POLICIES = ["cancel", "terminate", "abandon"] as const;
    /** Starts children, continues three times, then waits until it is told to end. */
    const parent = workflow({ name: "parent" }, async (ctx, n: number) => {
      if (n === 0) for (const parentClose of POLICIES) void ctx.child(kid, "", { id: parentClose, parentClose });
      if (n === 1) void ctx.child(kid, "fails", { id: "fails" });
      if (n < 3) {
        await ctx.sleep("1m");
        return ctx.continueAsNew(n + 1);
      }
      await ctx.waitFor(stop);
      return "done";
    });
    const statuses = (env: ReturnType<typeof environment>, ids: readonly string[]): Promise<readonly string[]> =>
      Promise.all(ids.map((id) => env.client.handle(id).status()));

    it.each(["an end", "a termination", "a deadline"] as const)("are closed by their policy at %s", async (how) => {
      const env = environment({ workflows: [parent, kid], cacheRuns });
      const run = await env.client.start(parent, 0, { ...(how === "a deadline" && { timeout: "1h" }) });
      await env.skip("5m");
      expect(await run.describe()).toMatchObject({ generation: 4, status: "suspended" });
      expect(await statuses(env, POLICIES)).toEqual(["suspended", "suspended", "suspended"]);
      if (how === "an end") await run.signal(stop, undefined);
      if (how === "a termination") await run.terminate();
      await env.skip("1h");
      expect(await run.status()).toBe(
        { "an end": "completed", "a termination": "cancelled", "a deadline": "failed" }[how],
      );
      expect(await statuses(env, [...POLICIES, "fails"])).toEqual(["cancelled", "cancelled", "suspended", "cancelled"]);
    });

    it("get a cancel of the run, those with the policy cancel", async () => {
      const env = environment({ workflows: [parent, kid], cacheRuns });
      const run = await env.client.start(parent, 0);
      await env.skip("90s");
      await run.cancel();
      await env.runUntilIdle();
      expect(await statuses(env, [...POLICIES, "fails"])).toEqual(["cancelled", "cancelled", "suspended", "cancelled"]);
      expect(await run.status()).toBe("cancelled");
    });

    it("get it once, though the run continues as new again while it cleans up", async () => {
      const tidy = workflow({ name: "tidy" }, async (ctx, n: number): Promise<string> => {
        if (n === 0) for (const parentClose of POLICIES) void ctx.child(kid, "", { id: parentClose, parentClose });
        const cancelled = await ctx.sleep("1m").then(
          () => false,
          () => true,
        );
        if (cancelled) await ctx.run("pause", () => null);
        if (n < 4) return ctx.continueAsNew(n + 1);
        await ctx.sleep("1h");
        return "tidy";
      });
      let told = 0;
      const deliver: Intercept["deliver"] = (call, [messages]) => {
        told += messages.filter(({ dedupeId }) => dedupeId.startsWith("parent-cancelled")).length;
        return call();
      };
      const env = faulty({ deliver }, { workflows: [tidy, kid], cacheRuns });
      const run = await env.client.start(tidy, 0);
      await env.skip("150s");
      expect(await run.describe()).toMatchObject({ generation: 3 });
      await run.cancel();
      await env.runUntilIdle();
      expect([await run.status(), told]).toEqual(["suspended", 1]);
      expect(await statuses(env, POLICIES)).toEqual(["cancelled", "suspended", "suspended"]);
      await env.skip("2h");
      expect(await run.result()).toBe("tidy");
    });

    it("that have closed are recorded, and no later generation has them", async () => {
      const env = environment({ workflows: [parent, kid], cacheRuns });
      const run = await env.client.start(parent, 0);
      await env.skip("90s");
      for (const id of ["cancel", "fails", "abandon"]) await env.client.handle(id).signal(go, 1);
      await env.skip("5m");
      await run.signal(stop, undefined);
      await env.runUntilIdle();
      expect(await run.result()).toBe("done");
      const history = await run.history();
      const scheduled = (id: string): number | undefined =>
        history.find(({ type, data }) => type === "CHILD_SCHEDULED" && data.runId === id)?.seq;
      const closed = history.filter(({ type }) => type === "CHILD_COMPLETED" || type === "CHILD_FAILED");
      expect(closed.map(({ type, command, data }) => [type, command, "scheduled" in data && data.scheduled])).toEqual([
        ["CHILD_COMPLETED", null, scheduled("cancel")],
        // Started in the generation that was going on, not awaited.
        ["CHILD_FAILED", expect.any(Number), false],
      ]);
      expect(
        history.flatMap(({ type, data }) => (type === "WORKFLOW_CONTINUED_AS_NEW" ? [data.children] : [])),
      ).toEqual([[scheduled("cancel"), scheduled("terminate")], [scheduled("terminate")], [scheduled("terminate")]]);
      expect(await statuses(env, ["terminate"])).toEqual(["cancelled"]);
    });
  });

  it("a child may continue as new: its parent gets the last output", async () => {
    const count = workflow({ name: "count" }, async (ctx, n: number): Promise<string> => {
      await ctx.sleep("1m");
      return n < 3 ? ctx.continueAsNew(n + 1) : `counted ${n}`;
    });
    const parent = workflow({ name: "parent" }, (ctx) => ctx.child(count, 1));
    const env = environment({ workflows: [parent, count], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.skip("5m");
    expect(await run.result()).toBe("counted 3");
  });

  /** Takes signals one by one, some in a generation, and notes each; ends with all. */
});
