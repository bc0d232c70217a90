import { describe, expect, it } from "vitest";
import { CACHES, environment, type TestedEnvironment } from "../../test/environment.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { exportHistory, replayHistory } from "../testing.ts";

const before = workflow({ name: "invoice" }, async (ctx) => {
  await ctx.run("count", () => 1);
  await ctx.sleep("1h");
  await ctx.run("tax", () => 19);
  await ctx.sleep("1h");
  return "old";
});
const patched = workflow({ name: "invoice" }, async (ctx) => {
  await ctx.run("count", () => 1);
  await ctx.sleep("1h");
  if (!ctx.patched("vat")) await ctx.run("tax", () => 19);
  else await ctx.run("vat", () => 20);
  await ctx.sleep("1h");
  return ctx.patched("vat") ? "new" : "old";
});
const deprecated = workflow({ name: "invoice" }, async (ctx) => {
  await ctx.run("count", () => 1);
  await ctx.sleep("1h");
  ctx.deprecatePatch("vat");
  await ctx.run("vat", () => 20);
  await ctx.sleep("1h");
  return "new";
});
const clean = workflow({ name: "invoice" }, async (ctx) => {
  await ctx.run("count", () => 1);
  await ctx.sleep("1h");
  await ctx.run("vat", () => 20);
  await ctx.sleep("1h");
  return "new";
});

describe.each(CACHES)("a patched workflow, with %i runs kept in memory", (cacheRuns) => {
  function world(): (definition: AnyWorkflow, seed: string) => TestedEnvironment {
    const clock = virtualClock();
    const storage = memory({ clock });
    return (definition, seed) =>
      environment({ workflows: [definition], cacheRuns, storage, clock, seed, replays: false });
  }

  it("has the patch in runs that come there after the deploy; runs that were past it end as they began", async () => {
    const deploy = world();
    const first = deploy(before, "before");
    const past = await first.client.start(before, undefined);
    await first.skip("30m");
    const halfway = await first.client.start(before, undefined);
    await first.skip("40m");
    const second = deploy(patched, "after");
    const fresh = await second.client.start(patched, undefined);
    await second.skip("1d");
    expect([await past.result(), await halfway.result(), await fresh.result()]).toEqual(["old", "new", "new"]);
    expect((await past.describe()).patches).toEqual([]);
    expect((await halfway.describe()).patches).toEqual(["vat"]);
    expect((await fresh.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED",
      "TIMER_STARTED",
      "TIMER_FIRED",
      "VERSION_MARKED",
      "ACTIVITY_COMPLETED",
      "TIMER_STARTED",
      "TIMER_FIRED",
      "WORKFLOW_COMPLETED",
    ]);
    for (const run of [past, halfway, fresh]) {
      const exported = await exportHistory(second.storage, run.runId);
      await replayHistory(patched, exported, { prefixes: true });
    }
    await replayHistory(before, await exportHistory(second.storage, past.runId), { prefixes: true });
    await expect(replayHistory(before, await exportHistory(second.storage, fresh.runId))).rejects.toMatchObject({
      code: "determinism",
    });
  });

  it("goes through its whole life without blocking a run", async () => {
    const deploy = world();
    const ends: Promise<unknown>[] = [];
    for (const [at, definition] of [before, patched, deprecated, clean].entries()) {
      const env = deploy(definition, `deploy ${at}`);
      // Started now, in the middle when the next deploy comes, ended before the one after it.
      for (let started = 0; started < 4; started++) {
        const run = await env.client.start(definition, undefined);
        ends.push(run.result());
        await env.skip("29m");
      }
      await env.worker.stop();
    }
    const last = deploy(clean, "last");
    await last.skip("1d");
    const { runs } = await last.client.list({});
    expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => "completed"));
    expect(new Set(await Promise.all(ends))).toEqual(new Set(["old", "new"]));
    for (const { runId } of runs.slice(0, 4))
      await replayHistory(clean, await exportHistory(last.storage, runId), { prefixes: true });
  });
});
