import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { intercepted, unavailable } from "../../test/intercepted.ts";
import { running } from "../../test/workers.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { createWorker } from "./worker.ts";

const quick = workflow({ name: "quick" }, async (ctx, n: number) => ctx.run("work", () => n * 2));

describe("worker.runOnce", () => {
  it("takes at most so many, and says how many", async () => {
    const env = environment({ workflows: [quick] });
    await env.client.startMany([1, 2, 3].map((input) => ({ definition: quick, input })));
    const worker = createWorker({ storage: env.storage, runtime: env.runtime, workflows: [quick] });
    expect(await worker.runOnce({ max: 2 })).toBe(2);
    expect((await env.client.list({ status: "completed" })).runs).toHaveLength(2);
    expect(await worker.runOnce()).toBe(1);
    expect(await worker.runOnce()).toBe(0);
    await expect(worker.runOnce({ max: 0 })).rejects.toMatchObject({ code: "invalid-argument" });
  });

  it("twice at once takes each run once", async () => {
    const executed: number[] = [];
    const counted = workflow({ name: "counted" }, (ctx, n: number) => ctx.run("work", () => executed.push(n)));
    const env = environment({ workflows: [counted] });
    await env.client.startMany([1, 2, 3].map((input) => ({ definition: counted, input })));
    const taken = await Promise.all([env.worker.runOnce(), env.worker.runOnce(), env.worker.runUntilIdle()]);
    expect(taken[0]! + taken[1]!).toBe(3);
    expect(executed.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it("throws what the storage says", async () => {
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), { claimTasks: () => Promise.reject(unavailable()) });
    const worker = createWorker({ storage, workflows: [quick] });
    await expect(worker.runOnce()).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("worker.runUntilIdle", () => {
  it("follows runs that start others, and leaves timers of the future alone", async () => {
    const parent = workflow({ name: "parent" }, async (ctx, depth: number): Promise<number> => {
      if (depth === 0) return 0;
      return 1 + ((await ctx.child(parent as never, (depth - 1) as never)) as number);
    });
    const nap = workflow({ name: "nap" }, (ctx) => ctx.sleep("1h"));
    const env = environment({ workflows: [parent, nap] });
    const run = await env.client.start(parent, 5);
    const sleeper = await env.client.start(nap, undefined);
    await env.worker.runUntilIdle();
    expect(await run.result()).toBe(5);
    expect(await sleeper.status()).toBe("suspended");
  });

  it("takes what an activity waits for, while it waits", async () => {
    const outer = workflow({ name: "outer" }, (ctx) =>
      ctx.run("start another", async () => {
        const inner = await env.client.start(quick, 21);
        return inner.result();
      }),
    );
    const env = environment({ workflows: [outer, quick] });
    const run = await env.client.start(outer, undefined);
    await env.worker.runUntilIdle();
    expect(await run.result()).toBe(42);
  });

  it("beside run() waits for run() to be idle", async () => {
    const env = environment({ workflows: [quick] });
    const { worker } = running(env, { workflows: [quick] });
    const run = await env.client.start(quick, 1);
    await worker.runUntilIdle();
    expect(await run.status()).toBe("completed");
    const next = await env.client.start(quick, 2);
    expect(await next.result()).toBe(4);
  });
});
