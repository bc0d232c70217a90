import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { counted, range, slots } from "../../test/fan-out.ts";
import { type Gate, gate, intercepted } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { EventOf } from "../model/event.ts";
import type { TaskCommit } from "../storage.ts";

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
