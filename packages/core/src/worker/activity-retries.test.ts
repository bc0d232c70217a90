import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { NonRetryableError, RetryableError } from "../errors/index.ts";
import type { EventOf } from "../model/event.ts";

describe.each(CACHES)("retries of activities, with %i runs kept in memory", (cacheRuns) => {
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
    const failing = activity({ name: "fails", retry: { maximumAttempts: 20, delay: "10s", jitter: 0.5 } }, async () => {
      times.push(env.clock.now());
      throw new Error("no");
    });
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
    expect(await run.result()).toEqual(["ActivityFailedError", "fails", 2, "TypeError", "two", "RangeError", "undone"]);
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
