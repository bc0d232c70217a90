import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { gate } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import type { WorkflowEvent } from "../model/event.ts";
import { createWorker } from "./worker.ts";

const go = signal<string>("go");

function typesOf(history: readonly WorkflowEvent[]): readonly string[] {
  return history.map(({ type }) => type);
}

describe("a run that changes hands between workers that serve an activity's queue and workers that do not", () => {
  it("an attempt that was begun by the one is begun again by whoever serves the queue, nobody else", async () => {
    for (const recorded of [false, true]) {
      const executedBy: string[] = [];
      const late = gate();
      const work = (by: string) =>
        activity({ name: "work", queue: "gpu" }, async () => {
          executedBy.push(by);
          if (executedBy.length === 1) await late.passed;
          return by;
        });
      const job = (by: string) => workflow({ name: "job" }, (ctx) => ctx.run(work(by), undefined));
      const env = environment({ workflows: [job("outsider")] });
      const first = running(env, { workflows: [job("first")], queues: ["default", "gpu"], lease: "5s" });
      const run = await env.client.start(job("x"), undefined);
      await env.runtime.calm();
      expect(executedBy).toEqual(["first"]);
      running(env, { workflows: [job("outsider")] });
      if (recorded) env.clock.advance(100);
      await env.runtime.calm();
      expect(typesOf(await run.history()).includes("ACTIVITY_SCHEDULED")).toBe(recorded);
      first.kill();
      await pass(env, "10s");
      expect(executedBy).toEqual(["first"]);
      expect(await run.describe()).toMatchObject({ currentActivities: [{ name: "work", queue: "gpu" }] });
      running(env, { activities: [work("remote")], queues: ["gpu"] });
      await pass(env, "1s");
      expect(await run.result()).toBe("remote");
      late.open();
    }
  });

  it("a retry that is due goes to whoever serves the queue, as the attempt that it is (I16)", async () => {
    const attempts: string[] = [];
    const flaky = (by: string) =>
      activity(
        { name: "flaky", queue: "gpu", retry: { maximumAttempts: 3, delay: "1m", jitter: 0 } },
        async (_: void, { attempt }) => {
          attempts.push(`${by} ${attempt}`);
          throw new Error("no");
        },
      );
    const job = (by: string) => workflow({ name: "job" }, (ctx) => ctx.run(flaky(by), undefined));
    const env = environment({ workflows: [job("outsider")] });
    const first = createWorker({
      storage: env.storage,
      runtime: env.runtime,
      workflows: [job("first")],
      queues: ["default", "gpu"],
    });
    const run = await env.client.start(job("x"), undefined);
    await first.runUntilIdle();
    await first.stop();
    running(env, { workflows: [job("outsider")] });
    running(env, { activities: [flaky("remote")], queues: ["gpu"] });
    await pass(env, "59s");
    expect(attempts).toEqual(["first 1"]);
    await pass(env, "1h");
    expect(attempts).toEqual(["first 1", "remote 2", "remote 3"]);
    await expect(run.result()).rejects.toMatchObject({
      failure: { code: "activity-failed", details: { attempts: 3 } },
    });
  });

  it(
    "large inputs that history has already are sent out in as many commits as they need (I9)",
    { timeout: 30_000 },
    async () => {
      const count = 70;
      const flaky = activity(
        { name: "flaky", queue: "gpu", retry: { maximumAttempts: 2, delay: "1h", jitter: 0 } },
        async (text: string, { attempt }) => {
          if (attempt === 1) throw new Error("no");
          return text.length;
        },
      );
      const text = "x".repeat(1_000_000);
      const job = workflow({ name: "job" }, (ctx) =>
        Promise.all(Array.from({ length: count }, () => ctx.run(flaky, text))),
      );
      const env = environment({ workflows: [job], queues: ["default", "gpu"], replays: false });
      const run = await env.client.start(job, undefined);
      await env.skip("1m");
      await env.restart({ queues: ["default"] });
      await env.skip("1h");
      expect(await run.describe()).toMatchObject({ blocked: null });
      expect((await run.describe()).currentActivities).toHaveLength(count);
      await env.restart({ queues: ["default", "gpu"], activities: [flaky] });
      await env.skip("1m");
      expect(await run.result()).toEqual(Array.from({ length: count }, () => text.length));
    },
  );

  it("a cancelled attempt is not sent out by a worker that replays the run later", async () => {
    const executedBy: string[] = [];
    const finish = gate();
    const work = (by: string) =>
      activity({ name: "work", queue: "gpu" }, async (_: void, { signal: aborted }) => {
        executedBy.push(by);
        await new Promise((_resolve, reject) => {
          aborted.addEventListener("abort", () => reject(new Error("aborted")));
        });
      });
    const job = (by: string) =>
      workflow({ name: "job" }, async (ctx) => {
        const interrupted = ctx.run(work(by), undefined).catch(() => {});
        await ctx.run("quick", () => finish.passed).catch(() => {});
        await interrupted;
        await ctx.waitFor(go);
        return "cleaned up";
      });
    const env = environment({ workflows: [job("outsider")] });
    const first = createWorker({
      storage: env.storage,
      runtime: env.runtime,
      workflows: [job("first")],
      queues: ["default", "gpu"],
    });
    const run = await env.client.start(job("x"), undefined);
    const working = first.runUntilIdle();
    await env.runtime.calm();
    await run.cancel();
    finish.open();
    await working;
    await first.stop();
    running(env, { workflows: [job("outsider")] });
    expect(typesOf(await run.history())).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED",
      "CANCEL_REQUESTED",
      "SIGNAL_AWAITED",
    ]);
    running(env, { activities: [work("remote")], queues: ["gpu"] });
    await run.signal(go, "now");
    await pass(env, "1m");
    expect(await run.result()).toBe("cleaned up");
    expect(executedBy).toEqual(["first"]);
    expect(typesOf(await run.history())).not.toContain("ACTIVITY_SCHEDULED");
  });
});
