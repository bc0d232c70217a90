import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { exportHistory, replayHistory } from "../testing.ts";
import { GENERATIONS_HELD } from "./continue-run.ts";

const go = signal<number>("go");

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
