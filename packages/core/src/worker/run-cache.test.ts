import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { drive } from "../../test/execution.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { workflowTaskId } from "../model/ids.ts";
import { RunCache } from "./run-cache.ts";

describe("RunCache", () => {
  const definition = workflow({ name: "code" }, (ctx) => ctx.sleep("1h"));
  const id = (name: string): ReturnType<typeof workflowTaskId> => workflowTaskId(name, "incarnation-0001");

  it("keeps so many, the least recently used go first", async () => {
    const { execution } = await drive(definition);
    const cache = new RunCache(2);
    for (const name of ["a", "b"]) cache.put(id(name), { execution, lastSeq: 1, lastCommitId: null });
    cache.put(id("a"), { execution, lastSeq: 2, lastCommitId: null });
    cache.put(id("c"), { execution, lastSeq: 3, lastCommitId: null });
    expect(cache.take(id("b"))).toBeUndefined();
    expect(cache.take(id("a"))?.lastSeq).toBe(2);
    expect(cache.take(id("a"))).toBeUndefined();
    expect(cache.has(id("c"))).toBe(true);
  });

  it("of no size keeps nothing", async () => {
    const { execution } = await drive(definition);
    const cache = new RunCache(0);
    cache.put(id("a"), { execution, lastSeq: 1, lastCommitId: null });
    expect(cache.has(id("a"))).toBe(false);
  });
});

describe("a run in memory", () => {
  const go = signal<number>("go");

  it("catches up with what other workers have done meanwhile", async () => {
    const sum = workflow({ name: "sum", state: { initial: { total: 0 } } }, async (ctx) => {
      for (let n = 0; n < 20; n++) {
        const got = await ctx.waitFor(go);
        const doubled = await ctx.run("double", () => got * 2);
        ctx.state.update(({ total }) => ({ total: total + doubled }));
      }
      return ctx.state.get("total");
    });
    const clock = virtualClock();
    const storage = memory({ clock });
    const workers = ["a", "b", "c"].map((seed) => environment({ workflows: [sum], storage, clock, seed }));
    const run = await workers[0]!.client.start(sum, undefined);
    for (let n = 0; n < 20; n++) {
      await workers[n % 7 === 0 ? 2 : n % 2]!.runUntilIdle();
      await run.signal(go, n);
      await workers[(n + 1) % 3]!.runUntilIdle();
    }
    expect(await run.result()).toBe(380);
    expect(await run.state()).toEqual({ total: 380 });
    expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(20);
  });

  it("is not the one of an earlier run with the same id", async () => {
    const once = workflow({ name: "once" }, async (ctx, name: string) => {
      const got = await ctx.waitFor(go);
      return `${name}${got}`;
    });
    const env = environment({ workflows: [once] });
    const first = await env.client.start(once, "first", { id: "same" });
    await env.runUntilIdle();
    await first.terminate();
    await env.skip("2h");
    expect(await env.client.purge({ closedBefore: new Date(env.clock.now()) })).toBe(1);
    const second = await env.client.start(once, "second", { id: "same" });
    await env.runUntilIdle();
    await second.signal(go, 2);
    await env.runUntilIdle();
    expect(await second.result()).toBe("second2");
  });
});
