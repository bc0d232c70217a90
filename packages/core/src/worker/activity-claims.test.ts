import { describe, expect, it } from "vitest";
import { environment, type TestedEnvironment } from "../../test/environment.ts";
import { counted, range, slots } from "../../test/fan-out.ts";
import { intercepted } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { ClaimRequest } from "../storage.ts";
import { createWorker } from "./worker.ts";

describe("claims of a worker that executes activities for others", () => {
  /** A world in which claims are counted. */
  function claiming(workflows: Parameters<typeof environment>[0]["workflows"]): TestedEnvironment & {
    readonly claims: ClaimRequest[];
  } {
    const clock = virtualClock();
    const claims: ClaimRequest[] = [];
    const storage = intercepted(memory({ clock }), {
      claimTasks: (call, [request]) => {
        claims.push(request);
        return call();
      },
    });
    return Object.assign(environment({ workflows, storage, clock }), { claims });
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
