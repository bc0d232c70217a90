import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory } from "../memory.ts";
import { createWorker } from "./worker.ts";

const go = signal<number>("go");

describe.each(CACHES)("history limits, with %i runs kept in memory", (cacheRuns) => {
  it("warn once at the limit and once at each doubling, whoever holds the run, and name what to do", async () => {
    const listen = workflow({ name: "listen" }, async (ctx) => {
      for await (const n of ctx.signals(go)) if (n === 0) return;
    });
    const env = environment({ workflows: [listen], cacheRuns, historyLimits: { warn: 10 } });
    const run = await env.client.start(listen, undefined, { id: "listening" });
    for (let n = 1; n <= 25; n++) {
      await run.signal(go, n);
      await env.runUntilIdle();
    }
    const warnings = env.logs.filter(({ level }) => level === "warn");
    expect(warnings.map(({ fields }) => fields["events"])).toEqual([10, 20, 40]);
    expect(warnings[0]?.message).toMatch(/"listening".*fails at 50000.*continueAsNew/u);
    await run.signal(go, 0);
    await env.runUntilIdle();
    await run.result();
  });

  it("fail the run: no activity is started after it, children are closed, the failure says what to do", async () => {
    const executed: number[] = [];
    const kid = workflow({ name: "kid" }, (ctx) => ctx.waitFor(go));
    const busy = workflow({ name: "busy" }, async (ctx) => {
      void ctx.child(kid, undefined, { id: "kid" });
      for (let n = 0; ; n++) await ctx.run("work", () => void executed.push(n));
    });
    const env = environment({ workflows: [busy, kid], cacheRuns, historyLimits: { warn: Infinity, fail: 20 } });
    const run = await env.client.start(busy, undefined, { id: "busy" });
    await env.runUntilIdle();
    const failure = { code: "history-limit", message: expect.stringMatching(/"busy".*continueAsNew.*historyLimits/u) };
    await expect(run.result()).rejects.toMatchObject({ failure });
    const completed = (await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED");
    expect([(await run.describe()).events, completed.length]).toEqual([21, executed.length]);
    expect(await env.client.handle("kid").status()).toBe("cancelled");
    expect(env.logs.map(({ fields }) => fields["code"])).toEqual(["run-failed"]);
  });

  it("count from the last continue-as-new, and let code end by itself at the limit", async () => {
    const round = workflow({ name: "round" }, async (ctx, n: number): Promise<string> => {
      for (let at = 0; at < 8; at++) await ctx.run("work", () => null);
      return n < 5 ? ctx.continueAsNew(n + 1) : "done";
    });
    const env = environment({ workflows: [round], cacheRuns, historyLimits: { warn: 10, fail: 10 } });
    const fitting = await env.client.start(round, 1);
    await env.runUntilIdle();
    expect(await fitting.result()).toBe("done");
    expect(env.logs.map(({ fields }) => fields["events"])).toEqual([10]);
    const narrow = environment({ workflows: [round], cacheRuns, historyLimits: { fail: 9 } });
    const exact = await narrow.client.start(round, 1);
    await narrow.runUntilIdle();
    expect(await exact.result()).toBe("done");
  });

  it("end a run that has been let grow by another worker", async () => {
    const listen = workflow({ name: "listen" }, async (ctx) => {
      for await (const n of ctx.signals(go)) if (n === 0) return;
    });
    const env = environment({ workflows: [listen], cacheRuns });
    const run = await env.client.start(listen, undefined);
    for (let n = 1; n <= 10; n++) {
      await run.signal(go, n);
      await env.runUntilIdle();
    }
    const strict = createWorker({
      storage: env.storage,
      runtime: env.runtime,
      workflows: [listen],
      historyLimits: { fail: 10 },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await run.signal(go, 11);
    await strict.runUntilIdle();
    await strict.stop();
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "history-limit" } });
  });

  it("ctx.info.historyLength is the same in every replay, and tells when to continue", async () => {
    const observe = workflow(
      { name: "observe", state: { initial: { lengths: [] as number[] } } },
      async (ctx, n: number) => {
        const lengths = [ctx.info.historyLength];
        for (let at = 0; at < 3; at++) {
          const answers = await Promise.all([ctx.run("a", () => 1), ctx.run("b", () => 2), ctx.waitFor(go)]);
          lengths.push(ctx.info.historyLength);
          // A replay that counts otherwise asks for something else here.
          await ctx.run(`after ${ctx.info.historyLength}`, () => answers.length);
          await ctx.sleep("1m");
          lengths.push(ctx.info.historyLength);
        }
        return n === 0 ? ctx.continueAsNew(1) : [lengths, ctx.info.continueAsNewSuggested];
      },
    );
    const env = environment({ workflows: [observe], cacheRuns });
    const run = await env.client.start(observe, 0);
    for (let n = 0; n < 6; n++) {
      await run.signal(go, n);
      await env.skip("2m");
    }
    const [lengths, isSuggested] = (await run.result()) as [number[], boolean];
    expect([lengths[0], isSuggested]).toEqual([1, false]);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(new Set(lengths).size).toBe(lengths.length);
  });

  it("ctx.info.continueAsNewSuggested bounds the history of a loop that heeds it", { timeout: 30_000 }, async () => {
    const loop = workflow({ name: "loop" }, async (ctx, done: number): Promise<number> => {
      for (let count = done; count < 12_000; count++) {
        if (ctx.info.continueAsNewSuggested) return ctx.continueAsNew(count);
        await ctx.run("work", () => null);
      }
      return ctx.info.generation;
    });
    const env = environment({ workflows: [loop], cacheRuns, replays: false });
    const run = await env.client.start(loop, 0);
    await env.runUntilIdle();
    expect(await run.result()).toBe(2);
    const [continued] = (await run.history()).filter(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW");
    expect(continued?.seq).toBe(10_001);
  });
});

describe("the option", () => {
  it.each([0, -1, 1.5, Number.NaN, "10"])("refuses %s", (count) => {
    for (const name of ["warn", "fail"]) {
      const historyLimits = { [name]: count as number };
      expect(() => createWorker({ storage: memory(), workflows: [], historyLimits })).toThrow(
        expect.objectContaining({
          code: "invalid-argument",
          message: expect.stringContaining(`historyLimits.${name}`),
        }),
      );
    }
  });
});
