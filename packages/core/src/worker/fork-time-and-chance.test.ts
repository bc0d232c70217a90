import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { types } from "../../test/types.ts";

const go = signal<string>("go");

describe.each(CACHES)("a fork, with %i runs kept in memory", (cacheRuns) => {
  it("keeps the time of its timers and of its patience", async () => {
    const slow = workflow({ name: "slow" }, async (ctx) => {
      const patience = ctx.waitFor(go, { timeout: "2h" }).catch(() => "nobody");
      await ctx.sleep("1h");
      return [await patience, ctx.now()] as const;
    });
    const env = environment({ workflows: [slow], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(slow, undefined);
    await env.skip("30m");
    const soon = await run.fork();
    await env.skip("30m");
    expect(await types(soon)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_AWAITED 1",
      "TIMER_STARTED 2",
      "FORKED",
      "TIMER_FIRED 2",
    ]);
    await env.skip("5h");
    expect(await soon.result()).toEqual(["nobody", new Date(startedAt + 7_200_000)]);
    const late = await run.fork({ beforeSeq: 4 });
    await env.runUntilIdle();
    expect(await late.result()).toEqual(["nobody", new Date(startedAt + 23_400_000 - 1_800_000)]);
  });

  it("repeats what its source drew by chance, and then draws for itself; forks of forks too", async () => {
    const chance = workflow({ name: "chance" }, async (ctx) => {
      const drawn: string[] = [];
      for (let turn = 0; turn < 3; turn++) {
        const name = ctx.random() < 0.5 ? "head" : "tail";
        drawn.push(await ctx.run(`${name}-${ctx.uuid()}`, () => `${turn}`).then(() => ctx.uuid()));
        await ctx.waitFor(go);
      }
      return drawn;
    });
    const env = environment({ workflows: [chance], cacheRuns });
    const run = await env.client.start(chance, undefined);
    await env.runUntilIdle();
    await run.signal(go, "1");
    await env.runUntilIdle();
    const fork = await run.fork();
    await env.runUntilIdle();
    const again = await fork.fork();
    const early = await fork.fork({ beforeSeq: 3 });
    await env.runUntilIdle();
    const twice = await again.fork();
    const runs = [run, fork, again, early, twice];
    for (let turn = 1; turn <= 3; turn++) {
      for (const one of runs) await one.signal(go, "x").catch(() => {});
      await env.runUntilIdle();
    }
    const drawn = (await Promise.all(runs.map((one) => one.result()))) as string[][];
    expect(drawn.map(([first]) => first)).toEqual(runs.map(() => drawn[0]![0]));
    expect(new Set(drawn.map((texts) => texts[2])).size).toBe(runs.length);
    expect((await twice.describe()).forkedFrom?.runId).toBe(again.runId);
    expect((await types(twice)).filter((type) => type === "FORKED")).toHaveLength(3);
  });

  it("sees the clock of its source: code that measures time takes the same branches", async () => {
    const poll = workflow({ name: "poll" }, async (ctx) => {
      const end = ctx.now().getTime() + 3_600_000;
      let polls = 0;
      while (ctx.now().getTime() < end) {
        await ctx.run("poll", () => ++polls);
        await ctx.sleep("20m");
      }
      return ctx.waitFor(go);
    });
    const env = environment({ workflows: [poll], cacheRuns });
    const run = await env.client.start(poll, undefined);
    await env.skip("1d");
    const fork = await run.fork();
    await env.runUntilIdle();
    expect((await fork.describe()).why).toBe('It waits for signal "go".');
    await Promise.all([run, fork].map((one) => one.signal(go, "x")));
    await env.runUntilIdle();
    expect(await fork.result()).toBe("x");
  });

  it("counts its time-out from its own start", async () => {
    const wait = workflow({ name: "wait", timeout: "1h" }, (ctx) => ctx.waitFor(go));
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await env.skip("50m");
    const fork = await run.fork();
    const again = await fork.fork().catch((error: unknown) => error);
    expect(again).toMatchObject({ code: "invalid-argument" });
    await env.runUntilIdle();
    await env.skip("20m");
    const third = await fork.fork();
    expect([await run.status(), await fork.status()]).toEqual(["failed", "suspended"]);
    await env.skip("40m");
    expect([await fork.status(), await third.status()]).toEqual(["failed", "suspended"]);
    const hasty = await run.retry({ timeout: "1m" });
    await env.skip("1m");
    await expect(hasty.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
  });
});
