import { describe, expect, it } from "vitest";
import { CACHES, environment, type TestedEnvironment } from "../../test/environment.ts";
import { claimOne } from "../../test/port.ts";
import { intercepted } from "../../test/intercepted.ts";
import { type Client, createClient } from "../client/client.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");

/** A client that believes the storage's clock to be most of a second further than it is. */
function clientAhead(env: TestedEnvironment): Client {
  const storage = intercepted(env.storage, {
    now: (call) => {
      env.clock.advance(800);
      return call();
    },
  });
  return createClient({ storage, runtime: env.runtime });
}

describe.each(CACHES)("a run that began while its start looks later, with %i runs kept in memory", (cacheRuns) => {
  it("hears of its child's end and ends (I9, I11)", async () => {
    const child = workflow({ name: "child" }, async () => 21);
    const parent = workflow({ name: "parent" }, async (ctx) => (await ctx.child(child, undefined)) * 2);
    const env = environment({ workflows: [parent, child], cacheRuns });
    const run = await clientAhead(env).start(parent, undefined);
    expect((await run.history())[0]!.at).toBe(env.clock.now() + 800);
    await env.runUntilIdle();
    expect(await run.status()).toBe("completed");
    expect(await run.result()).toBe(42);
  });

  it("gets a signal that comes while it is parked", async () => {
    const definition = workflow({ name: "definition" }, (ctx) => ctx.waitFor(go));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await clientAhead(env).start(definition, undefined);
    await env.runUntilIdle();
    await run.signal(go, "at once");
    await env.runUntilIdle();
    expect(await run.status()).toBe("completed");
    expect(await run.result()).toBe("at once");
  });

  it("cleans up when it is cancelled while it is parked (I11)", async () => {
    const cleaned: string[] = [];
    const definition = workflow({ name: "definition" }, async (ctx) => {
      try {
        await ctx.waitFor(go);
      } finally {
        await ctx.run("clean up", () => void cleaned.push("done"));
      }
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await clientAhead(env).start(definition, undefined);
    await env.runUntilIdle();
    await run.cancel();
    await env.runUntilIdle();
    expect(cleaned).toEqual(["done"]);
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
  });
});

describe.each(CACHES)("a cancel request, with %i runs kept in memory", (cacheRuns) => {
  it("runs the clean-up of a run whose worker died of its first turn (I17)", async () => {
    const cleaned: string[] = [];
    const definition = workflow({ name: "definition" }, async (ctx) => {
      try {
        await ctx.waitFor(go);
      } finally {
        await ctx.run("clean up", () => void cleaned.push("done"));
      }
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await claimOne(env.storage, {
      workerId: "dying",
      handlers: { workflows: ["definition"], activities: [] },
      leaseMs: 1_000,
    });
    await run.cancel();
    await env.skip("2s");
    expect(cleaned).toEqual(["done"]);
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
  });

  it("runs no code of a run that nobody had, although signals were recorded before its start (I17)", async () => {
    let ran = false;
    const definition = workflow({ name: "definition" }, async () => {
      ran = true;
    });
    const env = environment({ workflows: [definition], cacheRuns, replays: false });
    const run = await env.client.start(definition, undefined, { startAt: "1h" });
    await run.signal(go, "early");
    await env.runUntilIdle();
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "SIGNAL_RECEIVED"]);
    // Its start has come, and nobody was there.
    env.clock.advance(3_600_000);
    await run.cancel();
    await env.runUntilIdle();
    expect(ran).toBe(false);
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
  });
});
