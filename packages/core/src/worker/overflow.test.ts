import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { type Gate, gate, intercepted } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { createWorker } from "./worker.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { EventOf } from "../model/event.ts";
import type { ClaimRequest, TaskCommit } from "../storage.ts";
import type { TestedEnvironment } from "../../test/environment.ts";

/** An activity that tells who executes it and lasts until `finish` is opened; counts how many do at once. */
function counted(finish = gate()) {
  const executed: string[] = [];
  const at = new Map<string, number>();
  const most = new Map<string, number>();
  const work = (by: string) =>
    activity({ name: "work" }, async (n: number) => {
      executed.push(`${by} ${n}`);
      at.set(by, (at.get(by) ?? 0) + 1);
      most.set(by, Math.max(most.get(by) ?? 0, at.get(by)!));
      await finish.passed;
      at.set(by, at.get(by)! - 1);
      return n * 2;
    });
  return { executed, most, work, finish };
}

/** A gate that is open. */
function opened(): Gate {
  const open = gate();
  open.open();
  return open;
}

/** How many of the activities in a history went out as tasks. */
function sentOut(history: readonly { readonly type: string; readonly data: unknown }[]): number {
  return history.filter(
    (event) => event.type === "ACTIVITY_SCHEDULED" && (event as EventOf<"ACTIVITY_SCHEDULED">).data.where === "task",
  ).length;
}

const slots = (activities: number) => ({ concurrency: { runs: 100, activities } });
const range = (length: number): readonly number[] => Array.from({ length }, (_, at) => at);

describe.each(CACHES)("a fan-out of more activities than slots, with %i runs kept in memory", (cacheRuns) => {
  it("listed: others get what finds no slot here; results are in the order of the calls", async () => {
    const { executed, most, work, finish } = counted();
    const fan = (by: string) =>
      workflow({ name: "fan" }, (ctx) => Promise.all(range(20).map((n) => ctx.run(work(by), n))));
    const env = environment({ workflows: [fan("x")] });
    running(env, { workflows: [fan("here")], activities: [work("here")], cacheRuns, ...slots(5) });
    const run = await env.client.start(fan("x"), undefined);
    await env.runtime.calm();
    expect(executed).toEqual(range(5).map((n) => `here ${n}`));
    running(env, { activities: [work("there")], ...slots(8) });
    running(env, { activities: [work("elsewhere")], ...slots(100) });
    await env.runtime.calm();
    expect(executed.toSorted()).toHaveLength(20);
    expect(most.get("here")).toBe(5);
    expect(most.get("there")! + most.get("elsewhere")!).toBe(15);
    finish.open();
    await pass(env, "1s");
    expect(await run.result()).toEqual(range(20).map((n) => n * 2));
    expect(sentOut(await run.history())).toBe(15);
  });

  it("listed, and nobody else there: they wait for a slot here", async () => {
    const { executed, most, work } = counted(opened());
    const fan = workflow({ name: "fan" }, (ctx) => Promise.all(range(30).map((n) => ctx.run(work("here"), n))));
    const env = environment({ workflows: [fan] });
    running(env, { workflows: [fan], activities: [work("here")], cacheRuns, ...slots(4) });
    const run = await env.client.start(fan, undefined);
    await pass(env, "1s");
    expect(await run.result()).toEqual(range(30).map((n) => n * 2));
    expect(executed).toHaveLength(30);
    expect(most.get("here")).toBeLessThanOrEqual(4);
  });

  it("not listed: they wait for a slot here, and no task is made", async () => {
    const { executed, most, work } = counted(opened());
    const fan = workflow({ name: "fan" }, (ctx) => Promise.all(range(30).map((n) => ctx.run(work("here"), n))));
    const env = environment({ workflows: [fan] });
    running(env, { workflows: [fan], cacheRuns, ...slots(4) });
    running(env, { activities: [work("there")] });
    const run = await env.client.start(fan, undefined);
    await pass(env, "1s");
    expect(await run.result()).toEqual(range(30).map((n) => n * 2));
    expect([executed.length, most.get("here"), most.has("there")]).toEqual([30, 4, false]);
    expect(sentOut(await run.history())).toBe(0);
  });

  it("inline functions never go out, and neither does what began here", async () => {
    const finish = gate();
    const executed: string[] = [];
    const work = (by: string) =>
      activity({ name: "work", retry: { delay: "1s", jitter: 0 } }, async (n: number, { attempt }) => {
        executed.push(`${by} ${n}.${attempt}`);
        await finish.passed;
        if (n === 0 && attempt === 1) throw new Error("no");
        return n;
      });
    const fan = workflow({ name: "fan" }, (ctx) =>
      Promise.all(
        range(6).flatMap((n) => [
          ctx.run(work("here"), n),
          // Of the same name as one that is listed.
          ctx.run("work", async ({ attempt }) => {
            executed.push(`inline ${n}.${attempt}`);
            await finish.passed;
            return -n;
          }),
        ]),
      ),
    );
    const env = environment({ workflows: [fan] });
    running(env, { workflows: [fan], activities: [work("here")], cacheRuns, ...slots(3) });
    running(env, { activities: [work("there")] });
    const run = await env.client.start(fan, undefined);
    await env.runtime.calm();
    expect(executed.toSorted()).toEqual([
      "here 0.1",
      "here 1.1",
      "inline 0.1",
      ...range(6)
        .slice(2)
        .map((n) => `there ${n}.1`),
    ]);
    finish.open();
    await pass(env, "5s");
    expect(await run.result()).toEqual(range(6).flatMap((n) => [n, -n]));
    expect(executed).toContain("here 0.2");
    expect(executed.filter((line) => line.startsWith("inline"))).toHaveLength(6);
  });
});

describe("slots", () => {
  it("inline activities and those of others share them: never more at once than concurrency.activities", async () => {
    const finish = gate();
    let at = 0;
    let most = 0;
    const busy = async (): Promise<void> => {
      most = Math.max(most, ++at);
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => void setImmediate(resolve));
      at--;
    };
    const remote = activity({ name: "remote", queue: "elsewhere" }, busy);
    const asking = workflow({ name: "asking" }, (ctx) => Promise.all(range(50).map(() => ctx.run(remote, undefined))));
    const own = workflow({ name: "own" }, (ctx) => Promise.all(range(20).map((n) => ctx.run(`own ${n}`, busy))));
    const env = environment({ workflows: [asking, own] });
    running(env, { workflows: [asking] });
    const runs = [];
    for (const definition of [asking, own, own, asking, own]) runs.push(await env.client.start(definition, undefined));
    await env.runtime.calm();
    running(env, { workflows: [own], activities: [remote], queues: ["default", "elsewhere"], ...slots(7) });
    finish.open();
    await pass(env, "10s");
    expect(await Promise.all(runs.map((run) => run.status()))).toEqual(runs.map(() => "completed"));
    expect(most).toBe(7);
  });

  it("a run that waits for one hears what comes to it as soon as any other (I11)", async () => {
    const finish = gate();
    const remote = activity({ name: "remote", queue: "elsewhere" }, async () => "remote");
    const hog = workflow({ name: "hog" }, (ctx) => ctx.run("hog", () => finish.passed));
    const waiting = workflow({ name: "waiting" }, async (ctx) => {
      const local = ctx.run("local", () => "local").catch(() => "cancelled");
      return Promise.race([local, ctx.run(remote, undefined)]);
    });
    const env = environment({ workflows: [hog, waiting] });
    running(env, { workflows: [hog, waiting], ...slots(1) });
    await env.client.start(hog, undefined);
    const run = await env.client.start(waiting, undefined);
    await pass(env, "100ms");
    running(env, { queues: ["elsewhere"], activities: [remote] });
    await pass(env, "100ms");
    expect(await run.result()).toBe("remote");
    finish.open();
  });

  it("of a worker whose activities fail, time out, are cancelled or lost become free again", async () => {
    let round = 0;
    const work = activity(
      { name: "work", queue: "elsewhere", timeout: "1s", retry: 1 },
      async (how: string): Promise<string> => {
        if (how === "fails") throw new Error("no");
        if (how === "hangs") return new Promise(() => {});
        return `${++round}`;
      },
    );
    const job = workflow({ name: "job" }, (ctx, how: string) => ctx.run(work, how));
    const env = environment({ workflows: [job] });
    running(env, { workflows: [job] });
    running(env, { queues: ["elsewhere"], activities: [work], lease: "300ms", ...slots(2) });
    const end = async (how: string, then?: "cancel" | "terminate"): Promise<void> => {
      const runs = [
        await env.client.start(job, how),
        await env.client.start(job, how),
        await env.client.start(job, how),
      ];
      await env.runtime.calm();
      if (then !== undefined) for (const run of runs) await run[then]();
      await pass(env, "3s");
      expect(await Promise.all(runs.map((run) => run.status()))).not.toContain("suspended");
    };
    await end("fails");
    await end("hangs");
    await end("hangs", "cancel");
    await end("hangs", "terminate");
    await end("ends");
    expect(round).toBe(3);
  });
});

describe("claims of a worker that executes activities for others", () => {
  /** A world in which claims are counted. */
  function claiming(workflows: Parameters<typeof environment>[0]["workflows"]): TestedEnvironment & {
    readonly claims: ClaimRequest[];
    readonly commits: TaskCommit[];
  } {
    const clock = virtualClock();
    const claims: ClaimRequest[] = [];
    const commits: TaskCommit[] = [];
    const storage = intercepted(memory({ clock }), {
      claimTasks: (call, [request]) => {
        claims.push(request);
        return call();
      },
      commitTasks: (call, [batch]) => {
        commits.push(...batch);
        return call();
      },
    });
    return Object.assign(environment({ workflows, storage, clock }), { claims, commits });
  }

  it("do not spin while all its slots are taken and there is more (I28)", async () => {
    const { work, executed, finish } = counted();
    const elsewhere = { ...work("there"), queue: "elsewhere" };
    const fan = workflow({ name: "fan" }, (ctx) => Promise.all(range(50).map((n) => ctx.run(elsewhere, n))));
    const env = claiming([fan]);
    const holder = running(env, { workflows: [fan] });
    await env.client.start(fan, undefined);
    await env.runtime.calm();
    await holder.worker.stop();
    env.claims.length = 0;
    running(env, { queues: ["elsewhere"], activities: [elsewhere], ...slots(10) });
    await env.runtime.calm();
    expect(executed).toHaveLength(10);
    const atFirst = env.claims.length;
    expect(atFirst).toBeLessThanOrEqual(3);
    await pass(env, "1m");
    // It looks every five seconds or so for runs, as any worker.
    expect(env.claims.length - atFirst).toBeLessThanOrEqual(20);
    expect(executed).toHaveLength(10);
    finish.open();
    await pass(env, "1s");
    expect(executed).toHaveLength(50);
  });

  it("are no more of an idle worker than of one that has workflows alone (I28)", async () => {
    const { work } = counted();
    const quick = workflow({ name: "quick" }, async () => "done");
    const counts = [];
    for (const activities of [[], [work("here")]]) {
      const env = claiming([quick]);
      running(env, { workflows: [quick], activities });
      await pass(env, "10m");
      counts.push(env.claims.length);
    }
    expect(counts[1]).toBe(counts[0]);
  });

  it("ask for runs as many as there is room for, also when few slots are free", async () => {
    const { work, finish } = counted();
    const hanging = workflow({ name: "hanging" }, (ctx) =>
      Promise.all(range(9).map((n) => ctx.run("hang", () => finish.passed.then(() => n)))),
    );
    const quick = workflow({ name: "quick" }, async (ctx) => {
      await ctx.sleep("1h");
    });
    const env = claiming([hanging, quick]);
    await env.client.start(hanging, undefined);
    running(env, { workflows: [hanging, quick], activities: [work("here")], ...slots(10) });
    await env.runtime.calm();
    env.claims.length = 0;
    await Promise.all(range(80).map(() => env.client.start(quick, undefined)));
    await env.runtime.calm();
    expect((await env.client.stats()).runs.open).toBe(81);
    expect(env.claims.length).toBeLessThanOrEqual(6);
    finish.open();
  });

  it("runUntilIdle and runOnce execute them, and are idle only when all have ended", async () => {
    const work = activity({ name: "work", queue: "elsewhere", retry: { delay: 0 } }, async (n: number, { attempt }) => {
      await new Promise((resolve) => void setImmediate(resolve));
      if (attempt === 1) throw new Error("no");
      return n;
    });
    const fan = workflow({ name: "fan" }, (ctx) => Promise.all(range(30).map((n) => ctx.run(work, n))));
    const env = environment({ workflows: [fan] });
    const run = await env.client.start(fan, undefined);
    await env.worker.runUntilIdle();
    const options = {
      storage: env.storage,
      runtime: env.runtime,
      workflows: [],
      queues: ["elsewhere"],
      activities: [work],
    };
    const once = createWorker({ ...options, ...slots(3) });
    expect(await once.runOnce({ max: 5 })).toBe(5);
    const rest = createWorker({ ...options, ...slots(3) });
    await rest.runUntilIdle();
    await env.worker.runUntilIdle();
    expect(await run.result()).toEqual(range(30));
  });
});

describe("a run that is woken while it is still parking", () => {
  it("stays in memory: its history is not read again", async () => {
    let reads = 0;
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      readEvents: (call) => {
        reads++;
        return call();
      },
    });
    const work = activity({ name: "work" }, async (n: number) => {
      for (let turn = 0; turn < n % 4; turn++) await new Promise((resolve) => void setImmediate(resolve));
      return n;
    });
    const fan = workflow({ name: "fan" }, (ctx) => Promise.all(range(200).map((n) => ctx.run(work, n))));
    const env = environment({ workflows: [fan], storage, clock });
    running(env, { workflows: [fan], activities: [work], ...slots(5) });
    const run = await env.client.start(fan, undefined);
    await pass(env, "1s");
    expect([await run.status(), reads]).toEqual(["completed", 0]);
  });
});

describe("a thousand small activities of one run, over three workers", () => {
  it("are shared, each executed once, and their outcomes reach the run in batches", async () => {
    const executed = new Map<string, number>();
    const work = (by: string) =>
      activity({ name: "work" }, async (n: number) => {
        executed.set(by, (executed.get(by) ?? 0) + 1);
        return n;
      });
    const fan = (by: string) =>
      workflow({ name: "fan" }, async (ctx) => {
        const outputs = await Promise.all(range(1_000).map((n) => ctx.run(work(by), n)));
        return outputs.reduce((sum, n) => sum + n, 0);
      });
    const clock = virtualClock();
    const commits: TaskCommit[] = [];
    const storage = intercepted(memory({ clock }), {
      commitTasks: (call, [batch]) => {
        commits.push(...batch);
        return call();
      },
    });
    const env = environment({ workflows: [fan("x")], storage, clock });
    for (const by of ["a", "b", "c"]) running(env, { workflows: [fan(by)], activities: [work(by)], concurrency: 50 });
    const run = await env.client.start(fan("x"), undefined);
    await pass(env, "1s");
    expect(await run.result()).toBe(499_500);
    const turns = commits.filter(({ kind }) => kind === "workflow").length;
    expect([...executed.values()].reduce((sum, n) => sum + n, 0)).toBe(1_000);
    expect(executed.size).toBe(3);
    expect(turns).toBeLessThan(20);
  });
});
