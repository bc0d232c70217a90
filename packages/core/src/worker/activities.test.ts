import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";

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
