import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { gate } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity, type Activity } from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { isPerdureError } from "../errors/index.ts";

/** Where an activity is executed: by the worker that holds its run, or by another. */
const PLACES = ["default", "elsewhere"] as const;

type Place = (typeof PLACES)[number];

/** An activity of that place, and a run that calls it once. */
function calling(
  place: Place,
  execute: (input: undefined, context: ActivityContext) => Promise<unknown>,
  options: object = {},
): { readonly job: AnyWorkflow; readonly work: Activity<undefined, unknown> } {
  const work = activity(
    { name: "work", queue: place, retry: { maximumAttempts: 3, delay: "10s", jitter: 0 }, ...options },
    execute,
  );
  return { work, job: workflow({ name: "job" }, (ctx) => ctx.run(work, undefined)) };
}

describe.each(PLACES)("checkpoints of an activity of queue %s", (place) => {
  it("there is none at first; the next attempts find the newest one, whatever it is", async () => {
    const found: unknown[] = [];
    const values = [{ page: 1, at: new Date(5) }, undefined, 0];
    const { work, job } = calling(
      place,
      async (_, actx) => {
        found.push(actx.lastCheckpoint);
        await actx.checkpoint("older");
        await actx.checkpoint(values[actx.attempt - 1]);
        if (actx.attempt <= 3) throw new Error("no");
      },
      { retry: { maximumAttempts: 4, delay: "10s" } },
    );
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    await env.client.start(job, undefined);
    await pass(env, "5m");
    expect(found).toEqual([undefined, ...values]);
  });

  it("stays the same while an attempt runs: only earlier attempts count", async () => {
    const found: unknown[] = [];
    const { work, job } = calling(place, async (_, actx) => {
      await actx.checkpoint("mine");
      found.push(actx.lastCheckpoint);
    });
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    await pass(env, "1s");
    expect([await run.status(), found]).toEqual(["completed", [undefined]]);
  });

  it("after a crash of the first attempt another worker finds it", async () => {
    for (const crashAfterMs of [0, 500]) {
      const found: unknown[] = [];
      const { work, job } = calling(place, async (_, actx) => {
        found.push(actx.lastCheckpoint);
        if (found.length > 1) return "resumed";
        await actx.checkpoint(7);
        return new Promise(() => {});
      });
      const env = environment({ workflows: [job] });
      const settings = { lease: "5s", queues: [place], activities: [work] } as const;
      const holder = running(env, { ...settings, workflows: [job], queues: ["default"], activities: [] });
      const executor = running(env, settings);
      const run = await env.client.start(job, undefined);
      await pass(env, crashAfterMs);
      expect(found).toEqual([undefined]);
      (place === "default" ? holder : executor).kill();
      running(env, { ...settings, workflows: place === "default" ? [job] : [] });
      await pass(env, "10s");
      expect(found).toEqual([undefined, 7]);
      expect(await run.result()).toBe("resumed");
    }
  });

  it("after a worker was stopped another one goes on from it, with the same attempt", async () => {
    const found: unknown[] = [];
    const { work, job } = calling(place, async (_, { attempt, signal: aborted, lastCheckpoint, checkpoint }) => {
      found.push([attempt, lastCheckpoint]);
      if (found.length > 1) return "resumed";
      await checkpoint("far");
      return new Promise((_resolve, reject) => {
        aborted.addEventListener("abort", () => reject(new Error("stopped")));
      });
    });
    const env = environment({ workflows: [job] });
    const settings = { queues: [place], activities: [work] } as const;
    const holder = running(env, { workflows: [job] });
    const executor = running(env, settings);
    const run = await env.client.start(job, undefined);
    await pass(env, "10ms");
    const { worker } = place === "default" ? holder : executor;
    await worker.stop({ grace: 0 });
    running(env, { ...settings, workflows: place === "default" ? [job] : [] });
    await pass(env, "10ms");
    expect(found).toEqual([
      [1, undefined],
      [1, "far"],
    ]);
    expect(await run.result()).toBe("resumed");
  });

  it("a zombie's is refused: the worker that took the activity over alone writes (I6)", async () => {
    const zombie = gate();
    const outcomes: unknown[] = [];
    const { work, job } = calling(place, async (_, actx) => {
      if (outcomes.push("started") > 1) {
        await actx.checkpoint("mine");
        throw new Error("once more");
      }
      await zombie.passed;
      await actx.checkpoint("zombie's").catch((error: unknown) => outcomes.push(isPerdureError(error, "cancelled")));
    });
    const found: unknown[] = [];
    const again = calling(place, async (input, actx) => {
      found.push(actx.lastCheckpoint);
      return work.execute(input as never, actx);
    });
    const env = environment({ workflows: [job] });
    const settings = { lease: "5s", queues: [place] } as const;
    // The first worker's lease ends unnoticed: its timers do not fire.
    const frozen = { ...env.runtime, after: () => () => {}, monotonic: () => 0 };
    const executor = { ...settings, activities: [again.work], runtime: frozen };
    if (place === "default") running(env, { ...executor, workflows: [again.job] });
    else {
      running(env, { workflows: [again.job] });
      running(env, executor);
    }
    await env.client.start(job, undefined);
    await env.runtime.calm();
    expect(outcomes).toEqual(["started"]);
    running(env, { ...settings, activities: [again.work], workflows: place === "default" ? [again.job] : [] });
    await pass(env, "6s");
    expect(outcomes).toEqual(["started", "started"]);
    zombie.open();
    await env.runtime.calm();
    expect(outcomes).toEqual(["started", "started", true]);
    await pass(env, "10s");
    expect(found).toEqual([undefined, undefined, "mine"]);
  });

  it("an attempt that timed out cannot write one any more", async () => {
    const late = gate();
    const found: unknown[] = [];
    const refused: unknown[] = [];
    const { work, job } = calling(
      place,
      async (_, actx) => {
        found.push(actx.lastCheckpoint);
        if (actx.attempt > 2) return "done";
        await actx.checkpoint(actx.attempt);
        if (actx.attempt === 2) throw new Error("no");
        await late.passed;
        await actx.checkpoint("late").catch((error: unknown) => refused.push(isPerdureError(error, "timed-out")));
        return "late";
      },
      { timeout: "1s" },
    );
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    await pass(env, "12s");
    late.open();
    await pass(env, "1m");
    expect(found).toEqual([undefined, 1, 2]);
    expect(refused).toEqual([true]);
    expect(await run.result()).toBe("done");
  });

  it("what cannot be stored is refused in the face of the activity, which may go on", async () => {
    const { work, job } = calling(place, async (_, { checkpoint }) => {
      const refusals = [() => {}, "x".repeat(3_000_000)].map((value) =>
        checkpoint(value).catch((error: { code: string }) => error.code),
      );
      return Promise.all(refusals);
    });
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    await pass(env, "1s");
    expect(await run.result()).toEqual(["not-serializable", "payload-too-large"]);
  });

  it("is a sign of life (heartbeat)", async () => {
    const steps = [gate(), gate(), gate()];
    const { work, job } = calling(
      place,
      async (_, { attempt, checkpoint }) => {
        for (const step of steps) {
          await step.passed;
          await checkpoint("on my way");
        }
        return attempt;
      },
      { heartbeatTimeout: "2s" },
    );
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    for (const step of steps) {
      await pass(env, 1_500);
      step.open();
    }
    await pass(env, 1_500);
    expect(await run.result()).toBe(1);
  });

  it("belongs to its call alone, and is deleted when the run is purged (I26)", async () => {
    const found: unknown[] = [];
    const keys: string[] = [];
    const work = activity(
      { name: "work", queue: place, retry: { delay: "1s" } },
      async (n: number, { attempt, idempotencyKey, lastCheckpoint, checkpoint }) => {
        if (attempt === 2) return found.push(lastCheckpoint);
        keys.push(`checkpoint:${idempotencyKey}`);
        await checkpoint(n);
        throw new Error("no");
      },
    );
    const job = workflow({ name: "job" }, (ctx) => Promise.all([1, 2, 3].map((n) => ctx.run(work, n))));
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    await pass(env, "1m");
    await run.result();
    expect(new Set(found)).toEqual(new Set([1, 2, 3]));
    const entries = (): Promise<readonly unknown[]> => env.storage.readCache(keys);
    expect((await entries()).filter((entry) => entry !== undefined)).toHaveLength(3);
    await env.storage.purgeRuns({ closedBefore: env.clock.now() + 1, limit: 10, minAgeMs: 0 });
    expect((await entries()).filter((entry) => entry !== undefined)).toEqual([]);
  });
});
