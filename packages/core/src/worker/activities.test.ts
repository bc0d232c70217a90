import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { NonRetryableError, RetryableError } from "../errors/index.ts";
import type { EventOf } from "../model/event.ts";

describe.each(CACHES)("activities, with %i runs kept in memory", (cacheRuns) => {
  it("each call has its own input and result, also with equal inputs (I12)", async () => {
    let calls = 0;
    const count = activity({ name: "count" }, async (name: string) => `${name}${++calls}`);
    const three = workflow({ name: "three" }, async (ctx) => [
      await ctx.run(count, "a"),
      await ctx.run(count, "b"),
      await ctx.run(count, "b"),
    ]);
    const env = environment({ workflows: [three], cacheRuns });
    const run = await env.client.start(three, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["a1", "b2", "b3"]);
    expect(calls).toBe(3);
  });

  it("values survive exactly", async () => {
    const values = [
      0,
      "",
      false,
      null,
      [],
      undefined,
      -0,
      Number.NaN,
      10n,
      new Date(5),
      new Map([[1, new Set([2])]]),
      { a: undefined },
    ];
    const echo = activity({ name: "echo" }, async (value: unknown) => value);
    const all = workflow({ name: "all" }, async (ctx, input: unknown) => {
      const outputs: unknown[] = [];
      for (const value of input as unknown[]) outputs.push(await ctx.run(echo, value));
      await ctx.sleep("1h");
      return outputs;
    });
    const env = environment({ workflows: [all], cacheRuns });
    const run = await env.client.start(all, values);
    await env.skip("1h");
    expect(await run.result()).toEqual(values);
  });

  it("an activity sees copies: what it changes is its own", async () => {
    const spoil = activity({ name: "spoil" }, async (input: { list: number[] }) => {
      input.list.push(2);
      return input;
    });
    const definition = workflow({ name: "definition" }, async (ctx) => {
      const mine = { list: [1] };
      const theirs = await ctx.run(spoil, mine);
      return [mine, theirs];
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([{ list: [1] }, { list: [1, 2] }]);
  });

  it("knows its run, its attempt and a key that stays the same for all attempts", async () => {
    const seen: unknown[] = [];
    const flaky = activity({ name: "flaky", retry: { delay: "10s", jitter: 0 } }, async (_: null, actx) => {
      seen.push([actx.runId, actx.workflow, actx.name, actx.attempt, actx.idempotencyKey]);
      actx.logger.info("here");
      if (actx.attempt < 3) throw new Error("no");
    });
    const twice = workflow({ name: "twice" }, async (ctx) => {
      await ctx.run(flaky, null);
      await ctx.run("other", ({ idempotencyKey }) => void seen.push(idempotencyKey));
    });
    const env = environment({ workflows: [twice], cacheRuns });
    const run = await env.client.start(twice, undefined, { id: "run-7" });
    await env.skip("1m");
    await run.result();
    const key = `${run.incarnation}-0-1`;
    expect(seen).toEqual([
      ["run-7", "twice", "flaky", 1, key],
      ["run-7", "twice", "flaky", 2, key],
      ["run-7", "twice", "flaky", 3, key],
      `${run.incarnation}-0-2`,
    ]);
    expect(env.logs.filter(({ message }) => message === "here")[1]?.fields).toEqual({
      workflow: "twice",
      runId: "run-7",
      activity: "flaky",
      attempt: 2,
    });
  });

  describe("retries", () => {
    const fails = (...errors: readonly Error[]) => {
      const times: number[] = [];
      return {
        times,
        activity: (now: () => number, options: object) =>
          activity({ name: "fails", ...options }, async (_: null, { attempt }) => {
            times.push(now());
            const error = errors[attempt - 1];
            if (error !== undefined) throw error;
            return attempt;
          }),
      };
    };

    it.each([
      ["fixed", { retry: { maximumAttempts: 4, delay: "fixed", jitter: 0 } }, [0, 1_000, 2_000, 3_000]],
      ["exponential", { retry: { maximumAttempts: 4, jitter: 0 } }, [0, 1_000, 3_000, 7_000]],
      [
        "with a maximum",
        { retry: { maximumAttempts: 4, delay: { initial: "10s", factor: 10, maximum: "1m" }, jitter: 0 } },
        [0, 10_000, 70_000, 130_000],
      ],
      [
        "a list that repeats its last",
        { retry: { maximumAttempts: 4, delay: ["1s", "5s"], jitter: 0 } },
        [0, 1_000, 6_000, 11_000],
      ],
      ["a number of attempts", { retry: { maximumAttempts: 2, delay: 0, jitter: 0 } }, [0, 0]],
    ])("%s: attempts and delays are exactly what the policy says (I16)", async (_, options, expected) => {
      const failing = fails(...Array.from({ length: 9 }, (_, at) => new Error(`no ${at + 1}`)));
      const env = environment({
        cacheRuns,
        workflows: [
          workflow({ name: "retrying" }, (ctx) =>
            ctx.run(
              failing.activity(() => env.clock.now() - startedAt, options),
              null,
            ),
          ),
        ],
      });
      const startedAt = env.clock.now();
      const run = await env.client.start(
        workflow({ name: "retrying" }, async () => {}),
        undefined,
      );
      await env.skip("1h");
      expect(failing.times).toEqual(expected);
      await expect(run.result()).rejects.toMatchObject({
        code: "run-failed",
        failure: { name: "ActivityFailedError", code: "activity-failed", cause: { message: `no ${expected.length}` } },
      });
      const history = await run.history();
      expect(history.map(({ type }) => type)).toEqual([
        "WORKFLOW_STARTED",
        ...expected.slice(1).map(() => "ACTIVITY_RETRYING"),
        "ACTIVITY_FAILED",
        "WORKFLOW_FAILED",
      ]);
    });

    it("jitter stays within its part, and the drawn delay is the one that is recorded and kept (I16)", async () => {
      const times: number[] = [];
      const failing = activity(
        { name: "fails", retry: { maximumAttempts: 20, delay: "10s", jitter: 0.5 } },
        async () => {
          times.push(env.clock.now());
          throw new Error("no");
        },
      );
      const retrying = workflow({ name: "retrying" }, (ctx) => ctx.run(failing, null));
      const env = environment({ workflows: [retrying], cacheRuns });
      const run = await env.client.start(retrying, undefined);
      await env.skip("1h");
      const recorded = (await run.history()).filter(
        (event): event is EventOf<"ACTIVITY_RETRYING"> => event.type === "ACTIVITY_RETRYING",
      );
      expect(recorded.map(({ data }) => data.dueAt)).toEqual(times.slice(1));
      const delays = recorded.map(({ at, data }) => data.dueAt - at);
      for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(5_000);
      for (const delay of delays) expect(delay).toBeLessThanOrEqual(15_000);
      expect(new Set(delays).size).toBeGreaterThan(10);
    });

    it("fails once, then succeeds: the result of attempt 2 is recorded (I12)", async () => {
      const failing = fails(new Error("no"));
      const flaky = failing.activity(() => 0, {});
      const retrying = workflow({ name: "retrying" }, (ctx) => ctx.run(flaky, null));
      const env = environment({ workflows: [retrying], cacheRuns });
      const run = await env.client.start(retrying, undefined);
      await env.skip("1m");
      expect(await run.result()).toBe(2);
      expect((await run.history()).find(({ type }) => type === "ACTIVITY_COMPLETED")?.data).toMatchObject({
        attempt: 2,
        output: 2,
      });
    });

    it("RetryableError says itself when: a duration or an instant, without jitter", async () => {
      const env = environment({
        cacheRuns,
        workflows: [workflow({ name: "retrying" }, (ctx) => ctx.run(busy, null))],
      });
      const startedAt = env.clock.now();
      const times: number[] = [];
      const busy = activity({ name: "busy", retry: 4 }, async (_: null, { attempt }) => {
        times.push(env.clock.now() - startedAt);
        if (attempt === 1) throw new RetryableError("later", { retryAfter: "30s" });
        if (attempt === 2) throw new RetryableError("then", { retryAfter: new Date(startedAt + 60_000) });
        if (attempt === 3) throw new RetryableError("past", { retryAfter: new Date(startedAt) });
      });
      await env.client.start(
        workflow({ name: "retrying" }, async () => {}),
        undefined,
      );
      await env.skip("1h");
      expect(times).toEqual([0, 30_000, 60_000, 60_000]);
    });

    it.each([
      ["NonRetryableError", {}, new NonRetryableError("never")],
      ["a name that the policy lists", { retry: { nonRetryable: ["TypeError"] } }, new TypeError("never")],
      [
        "an input that its schema refuses",
        { input: { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no" }] }) } } },
        null,
      ],
    ])("%s ends the retries at once", async (_, options, error) => {
      const failing = fails(...(error === null ? [] : [error]));
      const hopeless = failing.activity(() => 0, options);
      const catching = workflow({ name: "catching" }, (ctx) =>
        ctx
          .run(hopeless, null)
          .catch((caught: { activity: string; attempts: number; cause: Error }) => [caught.activity, caught.attempts]),
      );
      const env = environment({ workflows: [catching], cacheRuns });
      const run = await env.client.start(catching, undefined);
      await env.skip("1h");
      expect(await run.result()).toEqual(["fails", 1]);
    });

    it("an error of somebody else's with a code like ours is retried as any other", async () => {
      const failing = fails(Object.assign(new Error("theirs"), { code: "invalid-input" }));
      const theirs = failing.activity(() => 0, {});
      const retrying = workflow({ name: "retrying" }, (ctx) => ctx.run(theirs, null));
      const env = environment({ workflows: [retrying], cacheRuns });
      const run = await env.client.start(retrying, undefined);
      await env.skip("1m");
      expect(await run.result()).toBe(2);
    });

    it("options of a call come before those of the definition", async () => {
      const failing = fails(new Error("1"), new Error("2"), new Error("3"));
      const flaky = failing.activity(() => 0, { retry: 9 });
      const catching = workflow({ name: "catching" }, (ctx) =>
        ctx.run(flaky, null, { retry: 2 }).catch((error: { attempts: number }) => error.attempts),
      );
      const env = environment({ workflows: [catching], cacheRuns });
      const run = await env.client.start(catching, undefined);
      await env.skip("1h");
      expect(await run.result()).toBe(2);
    });

    it("a failure reaches the code typed, and it goes on to compensate", async () => {
      const failing = fails(
        new TypeError("one", { cause: new RangeError("deep") }),
        new TypeError("two", { cause: new RangeError("deep") }),
      );
      const flaky = failing.activity(() => 0, { retry: 2 });
      const saga = workflow({ name: "saga" }, async (ctx) => {
        try {
          await ctx.run(flaky, null);
        } catch (error) {
          const {
            name,
            activity: failed,
            attempts,
            cause,
          } = error as { name: string; activity: string; attempts: number; cause: Error };
          const compensated = await ctx.run("compensate", () => "undone");
          return [name, failed, attempts, cause.name, cause.message, (cause.cause as Error).name, compensated];
        }
        return null;
      });
      const env = environment({ workflows: [saga], cacheRuns });
      const run = await env.client.start(saga, undefined);
      await env.skip("1h");
      expect(await run.result()).toEqual([
        "ActivityFailedError",
        "fails",
        2,
        "TypeError",
        "two",
        "RangeError",
        "undone",
      ]);
    });

    it("of one of three leaves the others alone, and the order of results stays (I12)", async () => {
      const calls: string[] = [];
      const work = activity({ name: "work" }, async (name: string, { attempt }) => {
        calls.push(`${name}${attempt}`);
        if (name === "b" && attempt === 1) throw new Error("no");
        return name;
      });
      const fan = workflow({ name: "fan" }, (ctx) => Promise.all(["a", "b", "c"].map((name) => ctx.run(work, name))));
      const env = environment({ workflows: [fan], cacheRuns });
      const run = await env.client.start(fan, undefined);
      await env.skip("1m");
      expect(await run.result()).toEqual(["a", "b", "c"]);
      expect(calls).toEqual(["a1", "b1", "c1", "b2"]);
    });
  });

  describe("time-outs", () => {
    it("end an attempt, free its slot and fire its signal; the late result is dropped and the next attempt counts", async () => {
      const late: (() => void)[] = [];
      const aborted: string[] = [];
      const slow = activity(
        { name: "slow", timeout: "1s", retry: { delay: "1m", jitter: 0 } },
        (_: null, { attempt, signal }) => {
          if (attempt > 1) return "second";
          signal.addEventListener("abort", () => void aborted.push((signal.reason as Error).name));
          return new Promise<string>((resolve) => late.push(() => resolve("late")));
        },
      );
      const definition = workflow({ name: "definition" }, (ctx) => ctx.run(slow, null));
      const beside = workflow({ name: "beside" }, (ctx) => ctx.run("quick", () => "quick"));
      const env = environment({ workflows: [definition, beside], cacheRuns, concurrency: { runs: 10, activities: 1 } });
      const run = await env.client.start(definition, undefined);
      const other = await env.client.start(beside, undefined);
      await env.skip(999);
      expect(await other.status()).not.toBe("completed");
      await env.skip(1);
      expect(await other.result()).toBe("quick");
      expect(aborted).toEqual(["TimedOutError"]);
      for (const settle of late) settle();
      await env.skip("1m");
      expect(await run.result()).toBe("second");
      const history = await run.history();
      expect(history.find(({ type }) => type === "ACTIVITY_RETRYING")?.data).toMatchObject({
        attempt: 1,
        failure: { code: "timed-out" },
      });
      expect(history.filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(1);
    });

    it("of a heartbeat end an attempt that has gone silent, not one that says it is alive", async () => {
      const env = environment({
        workflows: [workflow({ name: "beating" }, (ctx) => ctx.run(beating, null))],
        cacheRuns,
      });
      const startedAt = env.clock.now();
      const starts: number[] = [];
      const beating = activity(
        { name: "beating", heartbeatTimeout: "10s", retry: { maximumAttempts: 2, delay: 0, jitter: 0 } },
        (_: null, actx) => {
          starts.push(env.clock.now() - startedAt);
          if (actx.attempt === 2) return "second";
          let beats = 0;
          const beat = (): void => {
            actx.heartbeat();
            if (++beats < 5) env.runtime.after(8_000, beat);
          };
          beat();
          return new Promise<string>(() => {});
        },
      );
      const run = await env.client.start(
        workflow({ name: "beating" }, async () => {}),
        undefined,
      );
      await env.skip("2m");
      expect(starts).toEqual([0, 42_000]);
      expect(await run.result()).toBe("second");
      expect((await run.history()).find(({ type }) => type === "ACTIVITY_RETRYING")?.data).toMatchObject({
        failure: { code: "timed-out", message: expect.stringContaining("heartbeat") as unknown },
      });
    });

    it("of a heartbeat leave an attempt alone that ends in time", async () => {
      const quick = activity({ name: "quick", heartbeatTimeout: "10s" }, async () => "done");
      const definition = workflow({ name: "definition" }, (ctx) => ctx.run(quick, undefined));
      const env = environment({ workflows: [definition], cacheRuns });
      const run = await env.client.start(definition, undefined);
      await env.runUntilIdle();
      expect(await run.status()).toBe("completed");
    });
  });

  it("one that is slow is recorded while it runs, so that people see it", async () => {
    const slow = activity({ name: "slow", timeout: "1m", retry: 1 }, () => new Promise<void>(() => {}));
    const definition = workflow({ name: "definition" }, (ctx) => ctx.run(slow, undefined).catch(() => "gave up"));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.skip("10s");
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "ACTIVITY_SCHEDULED"]);
    expect(await run.describe()).toMatchObject({
      status: "running",
      currentActivities: [{ name: "slow", attempt: 1, retryAt: null }],
    });
    await env.skip("1m");
    expect(await run.result()).toBe("gave up");
  });

  it("a large input is recorded before the first attempt, once", async () => {
    const input = "x".repeat(100_000);
    const measure = activity({ name: "measure" }, async (text: string) => text.length);
    const definition = workflow({ name: "definition" }, (ctx) => ctx.run(measure, input));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe(100_000);
    const history = await run.history();
    expect(history.map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_SCHEDULED",
      "ACTIVITY_COMPLETED",
      "WORKFLOW_COMPLETED",
    ]);
    expect(history[2]!.data).not.toHaveProperty("input");
  });

  it("no more run at a time than there are slots, and a fan-out gets through all the same", async () => {
    let running = 0;
    let most = 0;
    const work = activity({ name: "work" }, async (input: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => void setImmediate(resolve));
      running--;
      return input;
    });
    const fan = workflow({ name: "fan" }, (ctx) =>
      Promise.all(Array.from({ length: 50 }, (_, at) => ctx.run(work, at))),
    );
    const env = environment({ workflows: [fan], cacheRuns, concurrency: { runs: 10, activities: 3 } });
    const runs = await Promise.all([1, 2, 3].map(() => env.client.start(fan, undefined)));
    await env.runUntilIdle();
    for (const run of runs) expect(await run.result()).toEqual(Array.from({ length: 50 }, (_, at) => at));
    expect(most).toBe(3);
  });

  it("retries that are due and find no slot wait for one without spinning", async () => {
    const release: (() => void)[] = [];
    const hog = workflow({ name: "hog" }, (ctx) =>
      ctx.run("hog", () => new Promise<void>((resolve) => release.push(resolve))),
    );
    const flaky = activity({ name: "flaky", retry: { delay: "10s", jitter: 0 } }, async (_: null, { attempt }) => {
      if (attempt === 1) throw new Error("no");
    });
    const retrying = workflow({ name: "retrying" }, (ctx) => Promise.all([1, 2, 3].map(() => ctx.run(flaky, null))));
    const env = environment({ workflows: [hog, retrying], cacheRuns, concurrency: { runs: 10, activities: 1 } });
    const run = await env.client.start(retrying, undefined);
    await env.skip("1s");
    await env.client.start(hog, undefined);
    let timers = 0;
    const { after } = env.runtime;
    Object.assign(env.runtime, {
      after: (...args: Parameters<typeof after>) => {
        timers++;
        return after(...args);
      },
    });
    await env.skip("11s");
    // One look every 50 ms of virtual time, and a few alarms.
    expect(timers).toBeLessThan(400);
    for (const resolve of release) resolve();
    await env.skip("1s");
    expect(await run.status()).toBe("completed");
  });
});
