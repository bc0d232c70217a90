import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { gate, type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { createClient } from "../client/client.ts";
import type { RunHandle } from "../client/handle.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { isPerdureError } from "../errors/index.ts";
import { memory, virtualClock } from "../memory.ts";
import type { WorkflowCommit } from "../storage.ts";
import { exportHistory, replayHistory, type TestEnvironmentOptions } from "../testing.ts";
import { GENERATIONS_HELD } from "./continue-run.ts";

const go = signal<number>("go");
const stop = signal("stop");

/** An environment over a storage whose calls are intercepted. */
function faulty(intercept: Intercept, options: TestEnvironmentOptions): ReturnType<typeof environment> {
  const clock = virtualClock();
  return environment({ ...options, clock, storage: intercepted(memory({ clock }), intercept) });
}

describe.each(CACHES)("continue-as-new, with %i runs kept in memory", (cacheRuns) => {
  const thrice = workflow(
    { name: "thrice", state: { initial: (n: number) => ({ began: n, steps: 0 }) } },
    async (ctx, n: number) => {
      ctx.attributes.set({ [`n${n}`]: n });
      const done = await ctx.run("work", ({ idempotencyKey }) => idempotencyKey);
      await ctx.sleep("1h");
      ctx.state.set("steps", 1);
      if (n < 3) return ctx.continueAsNew(n + 1);
      await ctx.sleep("1h");
      return { n, done, generation: ctx.info.generation };
    },
  );

  it("is one run, one handle: result() waits for the last generation, history has them all (scenario 17)", async () => {
    const env = environment({ workflows: [thrice], cacheRuns });
    const run = await env.client.start(thrice, 1, { attributes: { tier: "gold" } });
    const outcome = run.result();
    await env.skip("90m");
    expect(await run.describe()).toMatchObject({ status: "suspended", generation: 2, attributes: { n1: 1, n2: 2 } });
    expect(await run.state()).toEqual({ began: 2, steps: 0 });
    await env.skip("1h");
    expect(await run.state()).toEqual({ began: 3, steps: 0 });
    await env.skip("2h");
    expect(await outcome).toMatchObject({ n: 3, generation: 3 });
    const history = await run.history();
    expect(history.filter(({ type }) => type === "WORKFLOW_STARTED")).toHaveLength(1);
    const continued = history.filter(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW");
    expect(continued.map(({ data }) => data)).toMatchObject([
      { input: 2, generation: 2, attributes: { n1: 1 } },
      { input: 3, generation: 3, attributes: { n1: 1, n2: 2 } },
    ]);
    expect(await run.describe()).toMatchObject({ attributes: { n1: 1, n2: 2, n3: 3, tier: "gold" }, generation: 3 });
    expect((await env.client.list({ attributes: { n3: 3 } })).runs).toHaveLength(1);
  });

  it("gives the new generation random numbers, uuids, child ids and idempotency keys of its own (I15)", async () => {
    const keys: string[] = [];
    const kid = workflow({ name: "kid" }, async () => null);
    const draw = workflow({ name: "draw" }, async (ctx, drawn: readonly unknown[]) => {
      await ctx.run("note", ({ idempotencyKey }) => void keys.push(idempotencyKey));
      const child = ctx.child(kid, undefined);
      const all = [...drawn, ctx.random(), ctx.uuid(), child.runId];
      await child;
      return all.length < 9 ? ctx.continueAsNew(all) : all;
    });
    const env = environment({ workflows: [draw, kid], cacheRuns });
    const run = await env.client.start(draw, []);
    await env.runUntilIdle();
    expect(new Set(await run.result())).toHaveProperty("size", 9);
    expect([keys.length, new Set(keys).size]).toEqual([3, 3]);
  });

  it("ends the code at the call: nothing after it is asked for or recorded, whatever goes on besides", async () => {
    const executed: string[] = [];
    const note = activity({ name: "note" }, async (what: string) => void executed.push(what));
    const hasty = workflow({ name: "hasty", state: { initial: { n: 0 } } }, async (ctx, n: number) => {
      if (n === 1) return "second";
      const besides = async (): Promise<void> => {
        await ctx.sleep("1s");
        await ctx.run(note, "besides");
      };
      void besides();
      try {
        await ctx.run(note, "before");
        await ctx.continueAsNew(1);
      } finally {
        await ctx.run(note, "finally");
      }
      await ctx.run(note, "after");
      return "first";
    });
    const env = environment({ workflows: [hasty], cacheRuns });
    const run = await env.client.start(hasty, 0);
    await env.skip("1m");
    expect([await run.result(), executed]).toEqual(["second", ["before"]]);
  });

  it("aborts what still runs, and its outcome is nobody's", async () => {
    const aborted: unknown[] = [];
    const leave = workflow({ name: "leave" }, async (ctx, n: number) => {
      if (n === 1) return ctx.run("second", () => "second");
      const running = ctx.run("first", ({ signal: fired }) => {
        fired.addEventListener("abort", () => aborted.push((fired.reason as Error).message));
        return new Promise<string>(() => {});
      });
      await Promise.race([running, ctx.sleep("1m")]);
      return ctx.continueAsNew(1);
    });
    const env = environment({ workflows: [leave], cacheRuns });
    const run = await env.client.start(leave, 0);
    await env.skip("2m");
    expect(await run.result()).toBe("second");
    expect(aborted).toHaveLength(1);
  });

  it("checks the new input like a start, and the code may go on without it", async () => {
    const checked = workflow(
      {
        name: "checked",
        input: {
          "~standard": {
            version: 1,
            vendor: "test",
            validate: (value: unknown) =>
              typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "no number" }] },
            types: undefined as unknown as { input: number; output: number },
          },
        },
        state: { initial: (n: number) => ({ n }) },
      },
      async (ctx, n): Promise<unknown> => {
        if (n > 2) return n;
        const codes: unknown[] = [];
        for (const input of ["x", undefined]) {
          try {
            return await ctx.continueAsNew(input as never);
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        expect(codes).toEqual(["invalid-input", "invalid-input"]);
        return ctx.continueAsNew(2);
      },
    );
    const plain = workflow({ name: "plain" }, async (ctx): Promise<unknown> => {
      try {
        return await ctx.continueAsNew(Symbol("x"));
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    const env = environment({ workflows: [checked, plain], cacheRuns });
    const run = await env.client.start(checked, 1);
    const refused = await env.client.start(plain, undefined);
    await env.runUntilIdle();
    expect([await run.result(), await run.state()]).toEqual([4, { n: 4 }]);
    expect(await refused.result()).toBe("not-serializable");
  });

  it("called outside the turn it blocks the run; called by code that has ended it is refused", async () => {
    const late: unknown[] = [];
    const outside = workflow({ name: "outside" }, async (ctx, _n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ctx.continueAsNew(1);
    });
    const twice = workflow({ name: "twice" }, async (ctx, n: number) => {
      if (n === 1) return "done";
      try {
        void ctx.continueAsNew(1);
        return await ctx.continueAsNew(2);
      } catch (error) {
        late.push((error as { code: string }).code);
        throw error;
      }
    });
    const env = environment({ workflows: [outside, twice], cacheRuns, replays: false });
    const run = await env.client.start(outside, 0);
    const other = await env.client.start(twice, 0);
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({ blocked: { code: "non-durable-await" } });
    expect([await other.result(), new Set(late)]).toEqual(["done", new Set(["outside-workflow"])]);
  });

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

  it("begins without the state that a workflow has set though it declares none", async () => {
    const untyped = workflow({ name: "untyped" }, async (ctx, n: number) => {
      if (n === 0) ctx.state.set("left" as never, 1 as never);
      if (n === 0) return ctx.continueAsNew(1);
      return ctx.state.get();
    });
    const env = environment({ workflows: [untyped], cacheRuns });
    const run = await env.client.start(untyped, 0);
    await env.runUntilIdle();
    expect([await run.result(), await run.state()]).toEqual([{}, {}]);
  });

  it("keeps the deadline of the run", async () => {
    const forever = workflow({ name: "forever", timeout: "10h" }, async (ctx, n: number): Promise<never> => {
      await ctx.sleep("3h");
      return ctx.continueAsNew(n + 1);
    });
    const env = environment({ workflows: [forever], cacheRuns });
    const run = await env.client.start(forever, 1);
    await env.skip("10h");
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
    expect(await run.describe()).toMatchObject({ generation: 4, status: "failed" });
  });

  it("waits until intents are carried out: messages are sent, children are there", async () => {
    const kid = workflow({ name: "kid" }, (ctx) => ctx.waitFor(go));
    const parent = workflow({ name: "parent" }, async (ctx, n: number) => {
      if (n === 1) return "done";
      void ctx.child(kid, undefined, { id: "kid", parentClose: "abandon" }).signal(go, 7);
      return ctx.continueAsNew(1);
    });
    const env = environment({ workflows: [parent, kid], cacheRuns });
    const run = await env.client.start(parent, 0);
    await env.runUntilIdle();
    expect([await run.result(), await env.client.handle("kid").result()]).toEqual(["done", 7]);
    const types = (await run.history()).map(({ type }) => type);
    expect(types.indexOf("WORKFLOW_CONTINUED_AS_NEW")).toBeGreaterThan(types.indexOf("CHILD_STARTED"));
    expect(types.indexOf("WORKFLOW_CONTINUED_AS_NEW")).toBeGreaterThan(types.indexOf("SIGNAL_DELIVERED"));
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
  const COUNT = 6;
  const collect = workflow(
    { name: "collect", state: { initial: (got: readonly number[]) => ({ got: got.length }) } },
    async (ctx, before: readonly number[]): Promise<readonly number[]> => {
      const got = [...before];
      for (let n = 0; n <= got.length % 2; n++) {
        got.push(await ctx.waitFor(go));
        ctx.state.set("got", got.length);
        if (got.length === COUNT) return got;
        await ctx.run("note", () => null);
      }
      return ctx.continueAsNew(got);
    },
  );

  it("a signal at any moment is there for somebody: in order, once, though nobody waits (I11, I18)", async () => {
    for (const place of ["before", "after"] as const) {
      for (let moment = 1, came = true; came; moment++) {
        came = false;
        let calls = 0;
        let next = 0;
        const env = environment({
          workflows: [collect],
          cacheRuns,
          ...(() => {
            const clock = virtualClock();
            const store = memory({ clock });
            const around = async <T>(call: () => Promise<T>): Promise<T> => {
              const isNow = ++calls === moment;
              came ||= isNow;
              const send = async (): Promise<void> => {
                if (!isNow) return;
                const { items } = await store.listRuns({ limit: 1 });
                for (let n = 0; n < 3; n++) {
                  const data = JSON.stringify({ kind: "signal", signal: "go", payload: next++ });
                  await store.deliver([{ runId: items[0]!.runId, dedupeId: `burst-${n}`, external: true, data }]);
                }
              };
              if (place === "before") await send();
              const answer = await call();
              if (place === "after") await send();
              return answer;
            };
            return { clock, storage: intercepted(store, { claimTasks: around, commitTasks: around }) };
          })(),
        });
        const run = await env.client.start(collect, []);
        await run.signal(go, next++);
        await env.runUntilIdle();
        while (next < COUNT) {
          await run.signal(go, next++);
          await env.skip("1s");
        }
        await env.skip("1m");
        expect(await run.result(), `${place} call ${moment}`).toEqual([0, 1, 2, 3, 4, 5]);
        await env.close();
      }
    }
  });

  it("a crash before or after any commit changes nothing (I3, I14, I18)", async () => {
    for (const place of ["before", "after"] as const) {
      for (let crash = 1, crashed = true; crashed; crash++) {
        crashed = false;
        const env = faulty(
          {
            commitTasks: async (call, [commits], nth) => {
              if (nth === crash) crashed = true;
              if (nth !== crash || place === "after") await call();
              if (nth !== crash) return call();
              return commits.map(() => ({ status: "lease-lost" }) as const);
            },
          },
          { workflows: [collect], cacheRuns },
        );
        const run = await env.client.start(collect, []);
        for (let n = 0; n < COUNT; n++) {
          await run.signal(go, n);
          if (n % 3 === 0) await env.skip("1s");
        }
        await env.skip("1m");
        expect(await run.result(), `${place} commit ${crash}`).toEqual([0, 1, 2, 3, 4, 5]);
        expect(await run.state()).toEqual({ got: COUNT });
      }
    }
  });

  it("an unavailable storage at any call of its changes nothing", async () => {
    for (const verb of ["claimTasks", "commitTasks", "readEvents"] as const) {
      for (let faulted = 1, fired = true; fired; faulted++) {
        fired = false;
        const fail = async (call: () => Promise<never>, _: unknown, nth: number): Promise<never> => {
          if (nth !== faulted) return call();
          fired = true;
          throw unavailable();
        };
        let playing = false;
        const env = faulty(
          {
            [verb]: (call: never, args: never, nth: never) =>
              playing ? fail(call, args, nth) : (call as () => never)(),
          },
          { workflows: [collect], cacheRuns },
        );
        playing = true;
        const run = await env.client.start(collect, []);
        for (let n = 0; n < COUNT; n++) {
          await run.signal(go, n);
          await env.skip("1s");
        }
        await env.skip("1m");
        playing = false;
        expect(await run.result(), `${verb} ${faulted}`).toEqual([0, 1, 2, 3, 4, 5]);
      }
    }
  });

  it.each(["cancel", "terminate", "time out", "signal"] as const)(
    "what comes while its commit is on the way (%s) finds the new generation",
    async (what) => {
      const entered = gate();
      const leave = gate();
      const clock = virtualClock();
      const store = memory({ clock });
      const second = workflow({ name: "second", timeout: "1h" }, async (ctx, n: number) => {
        if (n === 0) {
          await ctx.sleep("1m");
          return ctx.continueAsNew(1);
        }
        return ctx.waitFor(go);
      });
      const storage = intercepted(store, {
        commitTasks: async (call, [commits]) => {
          const isTurn = commits.some((commit) => (commit as WorkflowCommit).run?.baseSeq !== undefined);
          if (isTurn) {
            entered.open();
            await leave.passed;
          }
          return call();
        },
      });
      const env = environment({ workflows: [second], clock, storage, cacheRuns });
      const run = await env.client.start(second, 0);
      await env.runUntilIdle();
      clock.advance(60_000);
      const working = env.runUntilIdle();
      await entered.passed;
      if (what === "cancel") await run.cancel({ reason: "whim" });
      if (what === "terminate") await run.terminate({ reason: "whim" });
      if (what === "time out") clock.advance(3_600_000);
      if (what === "signal") await run.signal(go, 5);
      leave.open();
      await working;
      await env.skip("1m");
      if (what === "signal") expect(await run.result()).toBe(5);
      else if (what === "time out")
        await expect(run.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
      else await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "whim" });
    },
  );
});

describe("a generation that waits for an intent before it ends", () => {
  /** Its code has continued as new; its message is on the way for as long as the test likes. */
  async function between(
    what: (run: RunHandle) => Promise<void>,
  ): Promise<{ readonly outcome: Promise<unknown>; readonly types: readonly string[] }> {
    const sending = gate();
    const sent = gate();
    const clock = virtualClock();
    const store = memory({ clock });
    const storage = intercepted(store, {
      deliver: async (call) => {
        sending.open();
        await sent.passed;
        return call();
      },
    });
    const last = workflow({ name: "last" }, async (ctx, n: number): Promise<unknown> => {
      if (n === 1) return [ctx.cancelled, await ctx.waitFor(go)];
      void Promise.race([ctx.waitFor(go), ctx.sleep("1h")]);
      void ctx.signal("other", go, 1).catch(() => {});
      return ctx.continueAsNew(1);
    });
    const env = environment({ workflows: [last], clock, storage, lease: "15s" });
    const run = await env.client.start(last, 0);
    const working = env.runUntilIdle();
    await sending.passed;
    // The storage tells its holder with the next renewal.
    await what(createClient({ storage: store, runtime: env.runtime }).handle(run.runId));
    clock.advance(6_000);
    await env.runtime.calm();
    sent.open();
    await working;
    const outcome = run.result({ timeout: "1s" });
    outcome.catch(() => {});
    await env.skip("2s");
    return { outcome, types: (await run.history()).map(({ type }) => type) };
  }

  it("a signal is for the next one, though a branch of this one had waited for it (I18)", async () => {
    const { outcome } = await between((run) => run.signal(go, 3));
    expect(await outcome).toEqual([false, 3]);
  });

  it("a cancel is recorded, and the next one has it (I17)", async () => {
    const { outcome, types } = await between((run) => run.cancel({ reason: "whim" }));
    await expect(outcome).rejects.toMatchObject({ code: "run-cancelled" });
    expect(types).toContain("WORKFLOW_CONTINUED_AS_NEW");
  });

  it("a termination ends the run", async () => {
    const { outcome, types } = await between((run) => run.terminate());
    await expect(outcome).rejects.toMatchObject({ code: "run-cancelled" });
    expect(types).not.toContain("WORKFLOW_CONTINUED_AS_NEW");
  });
});

describe("a workflow that continues for ever, without a pause", () => {
  const forever = workflow({ name: "forever" }, async (ctx, n: number): Promise<never> => ctx.continueAsNew(n + 1));

  it("starves nobody, though the worker has one place alone (I27)", async () => {
    const quick = workflow({ name: "quick" }, async (_, n: number) => n);
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      commitTasks: (call) => {
        clock.advance(1);
        return call();
      },
    });
    const env = environment({ workflows: [forever, quick], clock, storage, concurrency: 1, replays: false });
    const endless = await env.client.start(forever, 0);
    const runs = await env.client.startMany([1, 2, 3].map((input) => ({ definition: quick, input })));
    const working = env.runUntilIdle();
    for (const [at, run] of runs.entries()) expect(await run.result()).toBe(at + 1);
    await endless.terminate();
    await working;
    expect(await endless.status()).toBe("cancelled");
    expect((await endless.describe()).generation).toBeGreaterThan(GENERATIONS_HELD);
  });

  it("hands its run back when the worker stops", async () => {
    const env = environment({ workflows: [forever], replays: false });
    const endless = await env.client.start(forever, 0);
    void env.runUntilIdle();
    while ((await endless.describe()).generation < 3) await new Promise<void>((resolve) => setImmediate(resolve));
    await env.worker.stop({ grace: "1h" });
    expect(await endless.status()).toBe("suspended");
    await endless.terminate();
  });
});

describe("replaying a history of several generations", () => {
  it("fails for code that continues with another input, or does not continue", async () => {
    const code = (step: number, last: number) =>
      workflow({ name: "code" }, async (ctx, n: number): Promise<number> => {
        await ctx.sleep("1m");
        return n < last ? ctx.continueAsNew(n + step) : n;
      });
    const env = environment({ workflows: [code(1, 3)] });
    const run = await env.client.start(code(1, 3), 1);
    await env.skip("5m");
    const exported = await exportHistory(env.storage, run.runId);
    expect(await replayHistory(code(1, 3), exported, { prefixes: true })).toMatchObject({ status: "completed" });
    await expect(replayHistory(code(2, 3), exported)).rejects.toMatchObject({ code: "determinism" });
    await expect(replayHistory(code(1, 1), exported)).rejects.toMatchObject({ code: "determinism" });
  });
});
