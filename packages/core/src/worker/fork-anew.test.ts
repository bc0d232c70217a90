import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { types } from "../../test/types.ts";

const go = signal<string>("go");

describe.each(CACHES)("a fork, with %i runs kept in memory", (cacheRuns) => {
  it("issues activities without an outcome anew, from the first attempt, and keeps those that have one", async () => {
    const attempts: string[] = [];
    let isUp = false;
    const flaky = workflow({ name: "flaky" }, async (ctx) => {
      const steady = ctx.run("steady", ({ attempt }) => attempts.push(`steady${attempt}`));
      const shaky = ctx.run(
        "shaky",
        ({ attempt }) => {
          attempts.push(`shaky${attempt}`);
          if (!isUp) throw new Error("down");
          return "up";
        },
        { retry: { delay: "1h", jitter: 0, maximumAttempts: 3 } },
      );
      await steady;
      return shaky;
    });
    const env = environment({ workflows: [flaky], cacheRuns });
    const run = await env.client.start(flaky, undefined);
    await env.skip("1h");
    expect((await types(run)).filter((type) => type === "ACTIVITY_RETRYING 2")).toHaveLength(2);
    isUp = true;
    const fork = await run.fork();
    await env.runUntilIdle();
    expect(await fork.result()).toBe("up");
    expect(attempts).toEqual(["steady1", "shaky1", "shaky2", "shaky1"]);
    expect(await types(fork)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED 1",
      "FORKED",
      "ACTIVITY_COMPLETED 2",
      "WORKFLOW_COMPLETED",
    ]);
  });

  it("of an activity with a large input or a long run, whose SCHEDULED is recorded, too", async () => {
    const input = "x".repeat(100_000);
    let calls = 0;
    const large = activity({ name: "large" }, async (text: string, { signal: aborted }) => {
      if (++calls > 1) return text.length;
      return new Promise<number>((_, reject) => {
        aborted.addEventListener("abort", () => reject(new Error("aborted")));
      });
    });
    const main = workflow({ name: "main" }, async (ctx) => {
      const timer = ctx.sleep("1d");
      const length = await ctx.run(large, input);
      await timer;
      return length;
    });
    const env = environment({ workflows: [main], cacheRuns, replays: false });
    const run = await env.client.start(main, undefined);
    await env.skip("1s");
    expect(await types(run)).toContain("ACTIVITY_SCHEDULED 2");
    const fork = await run.fork();
    await env.skip("1s");
    expect((await fork.history()).find(({ type }) => type === "ACTIVITY_COMPLETED")?.data).toMatchObject({
      attempt: 1,
      output: 100_000,
    });
    await run.terminate();
    await env.skip("1d");
    expect(await fork.result()).toBe(100_000);
  });

  it("starts children without an outcome anew, under names of its own, told again what they were told", async () => {
    const started: string[] = [];
    const kid = workflow({ name: "kid", state: { initial: { hello: 1 } } }, async (ctx, n: number) => {
      started.push(ctx.runId);
      const got = [await ctx.waitFor(go), await ctx.waitFor(go)];
      await ctx.sleep("1h");
      return [n, ...got] as const;
    });
    const quick = workflow({ name: "quick" }, async () => "quick");
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const done = await ctx.child(quick, undefined, { id: "quick-1" });
      const child = ctx.child(kid, 7, { id: "kid-1" });
      await child.signal(go, "one");
      await child.signal(go, "two");
      return [done, child.runId, await child] as const;
    });
    const env = environment({ workflows: [parent, kid, quick], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    const fork = await run.fork();
    await env.skip("1h");
    expect(await run.result()).toEqual(["quick", "kid-1", [7, "one", "two"]]);
    const [done, childId, output] = await fork.result();
    expect([done, output]).toEqual(["quick", [7, "one", "two"]]);
    expect(childId).toMatch(/^child-/u);
    expect(new Set(started)).toEqual(new Set(["kid-1", childId]));
    expect((await env.client.handle(childId).describe()).parentRunId).toBe(fork.runId);
    expect((await env.client.list({ workflow: "quick" })).runs).toHaveLength(1);
  });

  it("tells its own child, not its source's, what was sent by the child's id", async () => {
    const kid = workflow({ name: "kid" }, async (ctx) => [await ctx.waitFor(go), await ctx.waitFor(go)]);
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(kid, undefined);
      await ctx.signal(child.runId, go, "one");
      await ctx.waitFor(go);
      await ctx.signal(child.runId, go, "two");
      return child;
    });
    const env = environment({ workflows: [parent, kid], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    const fork = await run.fork();
    await fork.signal(go, "on");
    await env.runUntilIdle();
    expect(await fork.result()).toEqual(["one", "two"]);
    await run.signal(go, "on");
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["one", "two"]);
  });

  it("sends messages without an outcome anew, and no others", async () => {
    const inbox = workflow({ name: "inbox" }, async (ctx) => {
      const got: string[] = [];
      for await (const text of ctx.signals(go)) {
        got.push(text);
        if (text === "end") return got;
      }
      return got;
    });
    const sender = workflow({ name: "sender" }, async (ctx, to: string) => {
      await ctx.signal(to, go, "first");
      await ctx.signal(to, go, "second");
      return ctx.waitFor(go);
    });
    const env = environment({ workflows: [inbox, sender], cacheRuns });
    const other = await env.client.start(inbox, undefined, { id: "other" });
    const run = await env.client.start(sender, "other");
    await env.runUntilIdle();
    const sent = (await run.history()).filter(({ type }) => type === "SIGNAL_SENT");
    // The second intent is in the prefix, its outcome is not.
    const fork = await run.fork({ beforeSeq: sent[1]!.seq + 1 });
    await env.runUntilIdle();
    await fork.signal(go, "x");
    await other.signal(go, "end");
    await env.runUntilIdle();
    expect(await other.result()).toEqual(["first", "second", "second", "end"]);
    expect(await fork.result()).toBe("x");
  });
});
