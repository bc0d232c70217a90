import { describe, expect, it } from "vitest";
import { gate } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { noting } from "../../test/noting.ts";

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
