import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");

describe.each(CACHES)("deadlines, with %i runs kept in memory", (cacheRuns) => {
  const wait = workflow({ name: "wait", timeout: "1h" }, (ctx) => ctx.waitFor(go));
  const timedOut = { code: "run-failed", failure: { code: "timed-out", name: "TimedOutError" } };

  it("a run that is not over by then fails as timed out, at its time", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(wait, undefined);
    expect((await run.describe()).deadlineAt).toEqual(new Date(startedAt + 3_600_000));
    await env.skip(3_599_999);
    expect(await run.status()).toBe("suspended");
    await env.skip(1);
    await expect(run.result()).rejects.toMatchObject(timedOut);
    expect((await run.describe()).closedAt).toEqual(new Date(startedAt + 3_600_000));
  });

  it("one that is over before does not", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await env.skip("59m");
    await run.signal(go, "in time");
    await env.skip("1d");
    expect(await run.result()).toBe("in time");
  });

  it("that of the start comes before that of the definition, and counts from the start", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(wait, undefined, { timeout: "10m", startAt: "1d" });
    expect((await run.describe()).deadlineAt).toEqual(new Date(startedAt + 86_400_000 + 600_000));
    await env.skip("1d");
    await env.skip("9m");
    expect(await run.status()).toBe("suspended");
    await env.skip("1m");
    await expect(run.result()).rejects.toMatchObject(timedOut);
  });

  it("aborts an activity that is running", async () => {
    let reason: unknown;
    const hang = workflow({ name: "hang", timeout: "1m" }, (ctx) =>
      ctx.run("hang", ({ signal: fired }) => {
        fired.addEventListener("abort", () => {
          reason = fired.reason;
        });
        return new Promise<void>(() => {});
      }),
    );
    const env = environment({ workflows: [hang], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(hang, undefined);
    await env.skip("2m");
    await expect(run.result()).rejects.toMatchObject(timedOut);
    expect((await run.describe()).closedAt).toEqual(new Date(startedAt + 60_000));
    expect(reason).toMatchObject({ name: "CancelledError" });
  });

  it("is kept by any worker for a run that nobody has code for, on any queue", async () => {
    const unknown = workflow({ name: "unknown", timeout: "1h", queue: "nobody" }, async () => {});
    const other = workflow({ name: "other" }, async () => {});
    const env = environment({ workflows: [other], cacheRuns });
    const run = await env.client.start(unknown, undefined);
    await env.skip("59m");
    expect(await run.status()).toBe("pending");
    await env.skip("1m");
    await expect(run.result()).rejects.toMatchObject(timedOut);
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "WORKFLOW_FAILED"]);
  });

  it("is kept for a run that is blocked", async () => {
    const stuck = workflow({ name: "stuck", timeout: "10s" }, () => new Promise<void>(() => {}));
    const env = environment({ workflows: [stuck], cacheRuns, replays: false });
    const run = await env.client.start(stuck, undefined);
    await env.runUntilIdle();
    expect((await run.describe()).blocked?.code).toBe("non-durable-await");
    await env.skip("10s");
    await expect(run.result()).rejects.toMatchObject(timedOut);
  });

  it("records what had arrived, and the parent learns of it", async () => {
    const parent = workflow({ name: "parent" }, (ctx) =>
      Promise.resolve(ctx.child(wait, undefined, { id: "kid" })).catch(
        (error: { cause: { code: string } }) => error.cause.code,
      ),
    );
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.skip("30m");
    await env.client.handle("kid").signal(signal("other"), undefined);
    await env.skip("30m");
    expect(await run.result()).toBe("timed-out");
    expect((await env.client.handle("kid").history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_AWAITED",
      "SIGNAL_RECEIVED",
      "WORKFLOW_FAILED",
    ]);
  });
});
