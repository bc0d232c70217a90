import { describe, expect, it } from "vitest";
import { gate } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import { workflow } from "../define/workflow.ts";
import { isPerdureError, NonRetryableError, RetryableError } from "../errors/index.ts";
import type { TaskCommit } from "../storage.ts";
import { noting } from "../../test/noting.ts";

/** An activity of another worker, and a run that calls it once. */
function remote(execute: (input: undefined, context: ActivityContext) => unknown, options: object = {}) {
  const work = activity({ name: "work", queue: "elsewhere", ...options }, execute);
  return { work, job: workflow({ name: "job" }, (ctx) => ctx.run(work, undefined)) };
}

describe("retries of an activity that another worker executes", () => {
  it.each([
    ["fixed", { maximumAttempts: 4, delay: "fixed", jitter: 0 }, [0, 1_000, 2_000, 3_000]],
    ["exponential", { maximumAttempts: 4, jitter: 0 }, [0, 1_000, 3_000, 7_000]],
    ["a list", { maximumAttempts: 4, delay: ["1s", "2s"], jitter: 0 }, [0, 1_000, 3_000, 5_000]],
    ["at once", { maximumAttempts: 3, delay: 0, jitter: 0 }, [0, 0, 0]],
    ["one attempt", 1, [0]],
    ["a name that is not retried", { nonRetryable: ["TypeError"] }, [0]],
  ])(
    "%s: attempts and delays are what the policy says, without a turn of the workflow (I16)",
    async (_, retry, expected) => {
      const times: number[] = [];
      const attempts: number[] = [];
      const { work, job } = remote(
        (_input, { attempt }) => {
          times.push(env.clock.now() - startedAt);
          attempts.push(attempt);
          throw new TypeError(`no ${attempt}`);
        },
        { retry },
      );
      const env = noting({ workflows: [job] });
      running(env, { workflows: [job] });
      running(env, { queues: ["elsewhere"], activities: [work] });
      const startedAt = env.clock.now();
      const run = await env.client.start(job, undefined);
      await pass(env, "1m");
      expect(times).toEqual(expected);
      expect(attempts).toEqual(expected.map((_time, at) => at + 1));
      await expect(run.result()).rejects.toMatchObject({
        failure: {
          name: "ActivityFailedError",
          code: "activity-failed",
          details: { activity: "work", attempts: expected.length },
          cause: { name: "TypeError", message: `no ${expected.length}` },
        },
      });
      const history = await run.history();
      expect(history.map(({ type }) => type)).toEqual([
        "WORKFLOW_STARTED",
        "ACTIVITY_SCHEDULED",
        "ACTIVITY_FAILED",
        "WORKFLOW_FAILED",
      ]);
      expect(history[2]!.data).toMatchObject({ attempt: expected.length });
      const next = (kind: TaskCommit["kind"]) => env.commits.filter((c) => c.kind === kind).map((c) => c.next.do);
      expect(next("workflow")).toEqual(["park", "done"]);
      expect(next("activity")).toEqual([...expected.slice(1).map(() => "retry"), "complete"]);
    },
  );

  it("jitter is drawn by whoever executed it, and no attempt comes before its time (I10)", async () => {
    const times: number[] = [];
    const { work, job } = remote(
      () => {
        times.push(env.clock.now());
        throw new Error("no");
      },
      { retry: { maximumAttempts: 20, delay: "10s", jitter: 0.5 } },
    );
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    await env.client.start(job, undefined);
    await pass(env, "10m");
    expect(times).toHaveLength(20);
    const delays = times.slice(1).map((time, at) => time - times[at]!);
    for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(5_000);
    for (const delay of delays) expect(delay).toBeLessThanOrEqual(15_100);
    expect(new Set(delays).size).toBeGreaterThan(10);
  });

  it("RetryableError says itself when; NonRetryableError ends them", async () => {
    const times: number[] = [];
    const { work, job } = remote(
      (_, { attempt }) => {
        times.push(env.clock.now() - startedAt);
        if (attempt === 1) throw new RetryableError("busy", { retryAfter: "7s" });
        if (attempt === 2) throw new RetryableError("busy", { retryAfter: new Date(env.clock.now() + 3_000) });
        throw new NonRetryableError("never");
      },
      { retry: 10 },
    );
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const startedAt = env.clock.now();
    const run = await env.client.start(job, undefined);
    await pass(env, "1m");
    expect(times).toEqual([0, 7_000, 10_000]);
    await expect(run.result()).rejects.toMatchObject({
      failure: { details: { attempts: 3 }, cause: { message: "never" } },
    });
  });

  it("an attempt that succeeds late is recorded with its number; options of the call count", async () => {
    const work = activity({ name: "work", queue: "elsewhere", retry: 1 }, async (_: undefined, { attempt }) => {
      if (attempt < 3) throw new Error("no");
      return attempt;
    });
    const job = workflow({ name: "job" }, (ctx) =>
      ctx.run(work, undefined, { retry: { maximumAttempts: 5, delay: "1s" } }),
    );
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    await pass(env, "1m");
    expect(await run.result()).toBe(3);
    expect((await run.history())[2]!.data).toEqual({ activity: "work", attempt: 3, output: 3 });
  });
});

describe("time limits of an activity that another worker executes", () => {
  it("an attempt that takes too long is over: its signal fires, its late result is dropped, the next one counts", async () => {
    const late = gate();
    const reasons: unknown[] = [];
    const { work, job } = remote(
      async (_, { attempt, signal: aborted }) => {
        if (attempt > 1) return attempt;
        aborted.addEventListener("abort", () => reasons.push(isPerdureError(aborted.reason, "timed-out")));
        await late.passed;
        return "late";
      },
      { timeout: "2s", retry: { delay: "1s", jitter: 0 } },
    );
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    // One slot: the attempt that timed out frees it.
    running(env, { queues: ["elsewhere"], activities: [work], concurrency: 1 });
    const run = await env.client.start(job, undefined);
    await pass(env, "1900ms");
    expect(reasons).toEqual([]);
    await pass(env, "200ms");
    expect(reasons).toEqual([true]);
    late.open();
    await pass(env, "2s");
    expect(await run.result()).toBe(2);
  });

  it("one that shows no sign of life in time is over; heartbeats keep it", async () => {
    const beats = [gate(), gate(), gate()];
    const attempts: number[] = [];
    const { work, job } = remote(
      async (_, { attempt, heartbeat }) => {
        attempts.push(attempt);
        if (attempt > 1) return attempt;
        for (const beat of beats) {
          await beat.passed;
          heartbeat();
        }
        return new Promise(() => {});
      },
      { heartbeatTimeout: "2s", retry: { delay: "1s", jitter: 0 } },
    );
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work] });
    const run = await env.client.start(job, undefined);
    for (const beat of beats) {
      await pass(env, "1500ms");
      beat.open();
      await env.runtime.calm();
    }
    await pass(env, "1900ms");
    expect(attempts).toEqual([1]);
    await pass(env, "2s");
    expect(attempts).toEqual([1, 2]);
    expect(await run.result()).toBe(2);
  });
});

describe("an activity that kills whoever executes it", () => {
  it("fails as poisoned after maxDeliveries hand-outs, and the run goes on (I9)", async () => {
    const work = activity({ name: "work", queue: "elsewhere" }, () => new Promise<string>(() => {}));
    const job = workflow({ name: "job" }, (ctx) =>
      ctx
        .run(work, undefined)
        .catch((error: { attempts: number; cause: { code: string; message: string } }) => [
          error.attempts,
          error.cause.code,
          error.cause.message,
        ]),
    );
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    const run = await env.client.start(job, undefined, { id: "run-1" });
    await env.runtime.calm();
    for (let death = 0; death < 3; death++) {
      const victim = running(env, { queues: ["elsewhere"], activities: [work], lease: "2s", maxDeliveries: 3 });
      await pass(env, "1s");
      victim.kill();
      await pass(env, "2s");
    }
    expect(await run.status()).toBe("suspended");
    running(env, { queues: ["elsewhere"], activities: [work], maxDeliveries: 3 });
    await pass(env, "1s");
    expect(await run.result()).toEqual([
      1,
      "poisoned",
      expect.stringMatching(/^Activity "work" of run "run-1" was handed out 3 times/u) as unknown,
    ]);
  });
});
