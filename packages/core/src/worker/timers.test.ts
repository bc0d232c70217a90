import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { workflow } from "../define/workflow.ts";

describe.each(CACHES)("timers, with %i runs kept in memory", (cacheRuns) => {
  it.each([
    ["500ms", 500],
    ["2h", 7_200_000],
    ["1w", 604_800_000],
    [0, 0],
    [1.4, 1],
    ["36525d", 36_525 * 86_400_000],
  ] as const)("ctx.sleep(%j) takes exactly that long (I10)", async (time, ms) => {
    const nap = workflow({ name: "nap" }, async (ctx) => {
      await ctx.sleep(time);
      return ctx.now().getTime();
    });
    const env = environment({ workflows: [nap], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(nap, undefined);
    if (ms > 1) {
      await env.skip(ms - 1);
      expect(await run.status()).toBe("suspended");
    }
    await env.skip(1);
    expect(await run.result()).toBe(startedAt + ms);
  });

  it("a Date is slept until, and one in the past returns at once", async () => {
    const nap = workflow({ name: "nap" }, async (ctx, until: readonly Date[]) => {
      const times: number[] = [];
      for (const date of until) {
        await ctx.sleep(date);
        times.push(ctx.now().getTime());
      }
      return times;
    });
    const env = environment({ workflows: [nap], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(nap, [new Date(startedAt + 5_000), new Date(startedAt), new Date(0)]);
    await env.skip("6s");
    expect(await run.result()).toEqual([startedAt + 5_000, startedAt + 5_000, startedAt + 5_000]);
  });

  it("what is no time is refused in the code", async () => {
    const bad = [
      -1,
      Number.NaN,
      Infinity,
      "5 minutes",
      "36526d",
      null,
      new Date(Number.NaN),
      new Date(-1),
      new Date(8.64e15),
    ];
    const nap = workflow({ name: "nap" }, async (ctx) => {
      const codes: string[] = [];
      for (const time of bad) await ctx.sleep(time as never).catch((error: { code: string }) => codes.push(error.code));
      return codes;
    });
    const env = environment({ workflows: [nap], cacheRuns });
    const run = await env.client.start(nap, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(bad.map(() => "invalid-argument"));
  });

  it("one that falls due while nobody is there fires late, once, and the code goes on from then (I10)", async () => {
    const nap = workflow({ name: "nap" }, async (ctx) => {
      await ctx.sleep("1h");
      const woke = ctx.now().getTime();
      await ctx.sleep("1h");
      return [woke, ctx.now().getTime()];
    });
    const env = environment({ workflows: [nap], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(nap, undefined);
    await env.runUntilIdle();
    env.clock.advance(10 * 3_600_000);
    await env.runUntilIdle();
    await env.skip("1h");
    expect(await run.result()).toEqual([startedAt + 10 * 3_600_000, startedAt + 11 * 3_600_000]);
    expect((await run.history()).filter(({ type }) => type === "TIMER_FIRED")).toHaveLength(2);
  });

  it("a thousand at once fire in order", async () => {
    const many = workflow({ name: "many" }, async (ctx) => {
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 1_000 }, (_, at) => ctx.sleep((at * 7) % 100).then(() => order.push((at * 7) % 100))),
      );
      return order;
    });
    const env = environment({ workflows: [many], cacheRuns, replays: false });
    const run = await env.client.start(many, undefined);
    await env.runUntilIdle();
    env.clock.advance(1_000);
    await env.runUntilIdle();
    const order = await run.result();
    expect(order).toHaveLength(1_000);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it("a loser of a race does no harm", async () => {
    const race = workflow({ name: "race" }, async (ctx) => {
      const winner = await Promise.race([ctx.sleep("1h").then(() => "short"), ctx.sleep("2h").then(() => "long")]);
      await ctx.sleep("3h");
      return winner;
    });
    const env = environment({ workflows: [race], cacheRuns });
    const run = await env.client.start(race, undefined);
    await env.skip("4h");
    expect(await run.result()).toBe("short");
  });
});
