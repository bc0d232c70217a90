import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { watchedStorage } from "../testing/watched-storage.ts";

const go = signal("go");

describe("a run that comes back to a worker which still has it in memory", () => {
  it("finds the checkpoints that were written meanwhile by one that died before it recorded anything of the activity", async () => {
    const found: unknown[] = [];
    const work = activity({ name: "work" }, async (_: undefined, { lastCheckpoint, checkpoint }) => {
      found.push(lastCheckpoint);
      if (found.length > 1) return "resumed";
      await checkpoint("far");
      return new Promise<string>(() => {});
    });
    const job = workflow({ name: "job" }, async (ctx) => {
      await ctx.waitFor(go);
      return ctx.run(work, undefined);
    });
    const env = environment({ workflows: [job], lease: "5s" });
    const run = await env.client.start(job, undefined);
    await env.runUntilIdle();
    const other = running(env, { workflows: [job], lease: "5s" });
    await run.signal(go, undefined);
    await env.runtime.calm();
    other.kill();
    expect(found).toEqual([undefined]);
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_AWAITED",
      "SIGNAL_RECEIVED",
    ]);
    await env.skip("6s");
    expect(found).toEqual([undefined, "far"]);
    expect(await run.result()).toBe("resumed");
  });
});

describe("quick activities", () => {
  it("cost no look at the cache, wherever they are executed", async () => {
    const verbs: string[] = [];
    const clock = virtualClock();
    const storage = watchedStorage(memory({ clock }), (verb) => {
      verbs.push(verb);
      return () => {};
    });
    const here = activity({ name: "here" }, async (n: number) => n);
    const there = activity({ name: "there", queue: "elsewhere" }, async (n: number) => n);
    const five = workflow({ name: "five" }, async (ctx) => {
      for (let n = 0; n < 5; n++) await ctx.run(here, n);
      return ctx.run(there, 5);
    });
    const env = environment({ workflows: [five], storage, clock });
    running(env, { workflows: [five] });
    running(env, { queues: ["elsewhere"], activities: [there] });
    const runs = await Promise.all([1, 2, 3].map(() => env.client.start(five, undefined)));
    await pass(env, "1s");
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual([5, 5, 5]);
    expect(verbs.filter((verb) => verb === "readCache" || verb === "writeCache")).toEqual([]);
  });

  it("look once when an earlier holder may have begun them", async () => {
    const keys: string[] = [];
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      readCache: (call, [asked]) => {
        keys.push(...asked);
        return call();
      },
    });
    const work = activity({ name: "work" }, async () => "done");
    const job = workflow({ name: "job" }, async (ctx) => [
      await ctx.run("first", () => (keys.length === 0 ? new Promise<string>(() => {}) : "first")),
      await ctx.run(work, undefined),
    ]);
    const env = environment({ workflows: [job], storage, clock });
    const first = running(env, { workflows: [job], lease: "5s" });
    const run = await env.client.start(job, undefined);
    await env.runtime.calm();
    first.kill();
    await env.skip("10s");
    expect(await run.result()).toEqual(["first", "done"]);
    // What it asked for later had no reason before this holder came: nobody can have begun it.
    expect(keys).toEqual([`checkpoint:${run.incarnation}-0-1`]);
  });
});
