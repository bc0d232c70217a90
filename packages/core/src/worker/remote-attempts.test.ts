import { describe, expect, it } from "vitest";
import { environment, type TestedEnvironment } from "../../test/environment.ts";
import { gate, intercepted } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import { workflow } from "../define/workflow.ts";
import { isPerdureError, NonRetryableError, RetryableError } from "../errors/index.ts";
import { memory, virtualClock } from "../memory.ts";
import type { TaskCommit } from "../storage.ts";

/** A world in which all commits are noted. */
function noting(options: { readonly workflows: Parameters<typeof environment>[0]["workflows"] }): TestedEnvironment & {
  readonly commits: readonly TaskCommit[];
} {
  const clock = virtualClock();
  const commits: TaskCommit[] = [];
  const storage = intercepted(memory({ clock }), {
    commitTasks: (call, [batch]) => {
      commits.push(...batch);
      return call();
    },
  });
  return Object.assign(environment({ ...options, storage, clock }), { commits });
}

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

describe("an activity that another worker executes, when its run ends or is cancelled", () => {
  /** A run whose activity is being executed elsewhere; its outcome comes when `finish` is opened. */
  async function executing(timeout?: "20s") {
    const finish = gate();
    const aborted: string[] = [];
    const started: number[] = [];
    const work = activity({ name: "work", queue: "elsewhere" }, async (_: undefined, { signal: fired, attempt }) => {
      started.push(attempt);
      fired.addEventListener("abort", () => aborted.push((fired.reason as Error).message));
      await finish.passed;
      return "late";
    });
    const job = workflow({ name: "job" }, async (ctx) => {
      const outcome = await Promise.race([ctx.run(work, undefined), ctx.sleep("15s").then(() => "first")]);
      return outcome;
    });
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work], lease: "6s" });
    const run = await env.client.start(job, undefined, timeout === undefined ? {} : { timeout: "10s" });
    await pass(env, "1s");
    expect(started).toEqual([1]);
    return { env, run, aborted, started, finish, job, work };
  }

  it("cancelled: the task goes in the commit that records the request, the signal fires with the next renewal, a late outcome changes nothing (I17)", async () => {
    const { env, run, aborted, started, finish } = await executing();
    await run.cancel({ reason: "whim" });
    await env.runtime.calm();
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
    const [, last] = env.commits.filter((commit) => commit.kind === "workflow");
    expect(last).toMatchObject({ next: { do: "done" } });
    expect(aborted).toEqual([]);
    await pass(env, "2s");
    expect(aborted).toHaveLength(1);
    const history = await run.history();
    finish.open();
    await pass(env, "1m");
    expect(started).toEqual([1]);
    expect(await run.history()).toEqual(history);
    expect(env.commits.filter(({ kind }) => kind === "activity")).toEqual([]);
  });

  it("cancelled, and the code cleans up and goes on: its task is deleted, those that it asks for then are not", async () => {
    const finish = gate();
    const executed: string[] = [];
    const work = activity({ name: "work", queue: "elsewhere" }, async (name: string) => {
      executed.push(name);
      if (name === "interrupted") await finish.passed;
      return name;
    });
    const job = workflow({ name: "job" }, async (ctx) => {
      const outcomes = await Promise.allSettled([ctx.run(work, "interrupted"), ctx.run(work, "interrupted")]);
      const cleaned = await ctx.run(work, "clean up");
      return [...outcomes.map(({ status }) => status), cleaned];
    });
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work], concurrency: 2 });
    const run = await env.client.start(job, undefined);
    await pass(env, "1s");
    await run.cancel();
    await env.runtime.calm();
    const requested = env.commits.find(
      (commit) => commit.kind === "workflow" && commit.events.some(({ type }) => type === "CANCEL_REQUESTED"),
    );
    expect(requested).toMatchObject({ schedule: [{ activity: "work" }] });
    expect(requested).toHaveProperty("cancel.length", 2);
    // Both slots are taken until the renewal says that the tasks are gone.
    await pass(env, "6s");
    expect(executed).toEqual(["interrupted", "interrupted", "clean up"]);
    expect(await run.result()).toEqual(["rejected", "rejected", "clean up"]);
    finish.open();
    await pass(env, "1s");
    expect(env.commits.filter(({ kind }) => kind === "activity")).toHaveLength(1);
  });

  it("a cancel that comes before the task was even scheduled leaves none behind", async () => {
    const executed: string[] = [];
    const work = activity({ name: "work", queue: "elsewhere" }, async () => void executed.push("work"));
    const job = workflow({ name: "job" }, async (ctx) => {
      await ctx.sleep("1s");
      await ctx.run(work, undefined);
    });
    const env = noting({ workflows: [job] });
    const run = await env.client.start(job, undefined);
    await env.runUntilIdle();
    env.clock.advance(1_000);
    await run.cancel();
    await env.runUntilIdle();
    running(env, { queues: ["elsewhere"], activities: [work] });
    await pass(env, "1s");
    expect(executed).toEqual([]);
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
  });

  it("terminated, timed out, or ended without waiting for it: the signal fires, nothing is left, a late outcome changes nothing", async () => {
    const ends = {
      terminate: { code: "run-cancelled" },
      deadline: { failure: { code: "timed-out" } },
      race: "first",
    } as const;
    for (const end of ["terminate", "deadline", "race"] as const) {
      const { env, run, aborted, started, finish } = await executing(end === "deadline" ? "20s" : undefined);
      if (end === "terminate") await run.terminate();
      await pass(env, "20s");
      expect(aborted).toHaveLength(1);
      if (end === "race") expect(await run.result()).toBe(ends.race);
      else await expect(run.result()).rejects.toMatchObject(ends[end]);
      const history = await run.history();
      finish.open();
      await pass(env, "1m");
      expect(started).toEqual([1]);
      expect(await run.history()).toEqual(history);
      expect((await env.storage.stats()).queues).toEqual([]);
    }
  });
});

describe("a worker that stops while it executes an activity for another", () => {
  async function stopping() {
    const finish = gate();
    const seen: string[] = [];
    const work = (by: string) =>
      activity({ name: "work", queue: "elsewhere" }, async (_: undefined, { attempt, signal: aborted }) => {
        seen.push(`${by} ${attempt}`);
        if (by === "other") return by;
        aborted.addEventListener("abort", () => seen.push((aborted.reason as Error).message));
        await finish.passed;
        return by;
      });
    const job = workflow({ name: "job" }, (ctx) => ctx.run(work("x"), undefined));
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    const { worker } = running(env, { queues: ["elsewhere"], activities: [work("first")] });
    const run = await env.client.start(job, undefined);
    await env.runtime.calm();
    return { env, run, seen, work, worker, finish };
  }

  it("lets it end, claims nothing more, and is done then", async () => {
    const { env, run, seen, worker, finish } = await stopping();
    let stopped = false;
    const done = worker.stop({ grace: "10s" }).then(() => (stopped = true));
    await pass(env, "9s");
    expect(stopped).toBe(false);
    finish.open();
    await done;
    await env.runtime.calm();
    expect(await run.result()).toBe("first");
    expect(seen).toEqual(["first 1"]);
  });

  it.each(["5s", 0] as const)(
    "hands it back when the grace of %s is over: its signal fires, another worker has it at once, as the same attempt",
    async (grace) => {
      const { env, run, seen, work, worker } = await stopping();
      running(env, { queues: ["elsewhere"], activities: [work("other")] });
      const done = worker.stop({ grace });
      if (grace !== 0) await pass(env, 4_900);
      if (grace !== 0) expect(seen).toEqual(["first 1"]);
      await pass(env, 100);
      await done;
      expect(seen).toEqual(["first 1", expect.stringContaining("stopping"), "other 1"]);
      expect(await run.result()).toBe("other");
      expect(env.commits.filter(({ kind }) => kind === "activity").map((commit) => commit.next.do)).toEqual([
        "release",
        "complete",
      ]);
    },
  );

  it("hands back at once what waits for a slot", async () => {
    const finish = gate();
    const seen: string[] = [];
    const work = (by: string) =>
      activity({ name: "work", queue: "elsewhere" }, async (n: number) => {
        seen.push(`${by} ${n}`);
        if (by === "first") await finish.passed;
        return by;
      });
    const job = workflow({ name: "job" }, (ctx) => Promise.all([1, 2, 3].map((n) => ctx.run(work("x"), n))));
    const env = noting({ workflows: [job] });
    running(env, { workflows: [job] });
    const { worker } = running(env, {
      queues: ["elsewhere"],
      activities: [work("first")],
      concurrency: { runs: 9, activities: 1 },
    });
    const run = await env.client.start(job, undefined);
    await env.runtime.calm();
    expect(seen).toEqual(["first 1"]);
    const done = worker.stop({ grace: "1m" });
    running(env, { queues: ["elsewhere"], activities: [work("other")] });
    await env.runtime.calm();
    expect(seen).toEqual(["first 1", "other 2", "other 3"]);
    finish.open();
    await done;
    await env.runtime.calm();
    expect(await run.result()).toEqual(["first", "other", "other"]);
  });
});
