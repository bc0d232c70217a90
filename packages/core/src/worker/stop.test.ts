import { describe, expect, it } from "vitest";
import { environment, recordingLogger } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { running } from "../../test/workers.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { createWorker } from "./worker.ts";

const quick = workflow({ name: "quick" }, async (ctx, n: number) => ctx.run("work", () => n * 2));
const nap = workflow({ name: "nap" }, async (ctx) => {
  await ctx.sleep("1h");
  return "rested";
});
const hang = workflow({ name: "hang" }, (ctx) => ctx.run("hang", () => new Promise<string>(() => {})));

describe("worker.stop", () => {
  it("lets a running activity end, records its result, and starts nothing more (I13)", async () => {
    const executed: string[] = [];
    const released = gate();
    const two = workflow({ name: "two" }, async (ctx) => {
      const first = await ctx.run("first", async () => {
        executed.push("first");
        await released.passed;
        return 1;
      });
      return [first, await ctx.run("second", () => executed.push("second"))];
    });
    const env = environment({ workflows: [two] });
    const run = await env.client.start(two, undefined);
    const { worker, working } = running(env, { workflows: [two] });
    await env.runtime.calm();
    const stopping = worker.stop();
    await env.runtime.calm();
    released.open();
    await stopping;
    await working;
    expect(executed).toEqual(["first"]);
    expect((await run.history()).at(-1)?.type).toBe("ACTIVITY_COMPLETED");
    expect((await env.storage.getRun(run.runId))?.task).toMatchObject({ leaseUntil: null, readyAt: env.clock.now() });
    await env.runUntilIdle();
    expect(await run.result()).toEqual([1, 2]);
    expect(executed).toEqual(["first", "second"]);
  });

  it("aborts what is still running when the grace is over, and hands it back at once", async () => {
    let reason = "";
    const slow = workflow({ name: "slow" }, (ctx) =>
      ctx.run("slow", ({ signal: fired }) => {
        if (reason !== "") return "second";
        fired.addEventListener("abort", () => {
          reason = (fired.reason as Error).message;
        });
        return new Promise<string>(() => {});
      }),
    );
    const env = environment({ workflows: [slow] });
    const run = await env.client.start(slow, undefined);
    const { worker } = running(env, { workflows: [slow] });
    await env.runtime.calm();
    const stopping = worker.stop({ grace: "5s" });
    await env.runtime.calm();
    env.clock.advance(4_999);
    await env.runtime.calm();
    expect(reason).toBe("");
    env.clock.advance(1);
    await stopping;
    expect(reason).toContain("stopping");
    await env.runUntilIdle();
    expect(await run.result()).toBe("second");
  });

  it("hands back what was claimed and not begun, before it resolves", async () => {
    const clock = virtualClock();
    const committed = gate();
    let slow = false;
    const storage = intercepted(memory({ clock }), {
      commitTasks: async (call) => {
        if (slow) await committed.passed;
        return call();
      },
    });
    const env = environment({ workflows: [hang], storage, clock });
    const runs = await Promise.all([1, 2, 3].map(() => env.client.start(hang, undefined)));
    const { worker } = running(env, { workflows: [hang], concurrency: { runs: 2, activities: 2 } });
    await env.runtime.calm();
    slow = true;
    let stopped = false;
    const stopping = worker.stop({ grace: 0 }).then(() => {
      stopped = true;
    });
    await env.runtime.calm();
    expect(stopped).toBe(false);
    committed.open();
    await stopping;
    for (const { runId } of runs) {
      expect((await storage.getRun(runId))?.task).toMatchObject({ leaseUntil: null, deliveries: 0 });
    }
    for (const run of runs) await run.terminate();
  });

  it("hands back what a claim brings that was under way", async () => {
    const clock = virtualClock();
    const claimed = gate();
    const storage = intercepted(memory({ clock }), {
      claimTasks: async (call) => {
        const answer = await call();
        await claimed.passed;
        return answer;
      },
    });
    const env = environment({ workflows: [quick], storage, clock });
    const run = await env.client.start(quick, 1);
    const { worker, working } = running(env, { workflows: [quick] });
    await env.runtime.calm();
    let stopped = false;
    const stopping = worker.stop().then(() => {
      stopped = true;
    });
    await env.runtime.calm();
    expect(stopped).toBe(false);
    claimed.open();
    await stopping;
    await working;
    expect((await storage.getRun(run.runId))?.task).toMatchObject({ leaseUntil: null });
    await env.runUntilIdle();
    expect(await run.result()).toBe(2);
  });

  it("does not wait for a storage that is down longer than the leases last", async () => {
    const clock = virtualClock();
    let isDown = false;
    const down = <T>(call: () => Promise<T>): Promise<T> => (isDown ? Promise.reject(unavailable()) : call());
    const storage = intercepted(memory({ clock }), { claimTasks: down, commitTasks: down, renewLeases: down });
    const env = environment({ workflows: [hang], storage, clock });
    const runs = await Promise.all([1, 2, 3].map(() => env.client.start(hang, undefined)));
    // Two are held, one is claimed and not begun; the fourth can only be timed out.
    const overdue = await env.client.start(
      workflow({ name: "unknown", timeout: 1_000 }, async () => {}),
      undefined,
    );
    const { worker, working } = running(env, {
      workflows: [hang],
      concurrency: { runs: 2, activities: 2 },
      lease: "15s",
    });
    await env.runtime.calm();
    isDown = true;
    const stopping = worker.stop({ grace: 0 });
    let stopped = false;
    void stopping.then(() => {
      stopped = true;
    });
    for (let ms = 0; ms < 20_000 && !stopped; ms += 50) {
      env.clock.advance(50);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    expect(stopped).toBe(true);
    await working;
    isDown = false;
    env.clock.advance(20_000);
    await env.skip("1s");
    expect(await overdue.status()).toBe("failed");
    for (const run of runs) await run.terminate();
  });

  it("leaves no timer behind (I28)", async () => {
    const clock = virtualClock();
    const env = environment({ workflows: [quick, nap], storage: memory({ clock }), clock });
    let timers = 0;
    const runtime = {
      ...env.runtime,
      after: (...[ms, fn, options]: Parameters<typeof env.runtime.after>) => {
        timers++;
        let over = false;
        const end = (): void => {
          if (!over) timers--;
          over = true;
        };
        const cancel = env.runtime.after(
          ms,
          () => {
            end();
            fn();
          },
          options,
        );
        return () => {
          end();
          cancel();
        };
      },
    };
    const worker = createWorker({
      storage: env.storage,
      runtime,
      workflows: [quick, nap, hang],
      logger: recordingLogger().logger,
    });
    const working = worker.run();
    await Promise.all([
      env.client.start(quick, 1),
      env.client.start(nap, undefined),
      env.client.start(hang, undefined),
    ]);
    await env.runtime.calm();
    env.clock.advance(1_000);
    await env.runtime.calm();
    expect(timers).toBeGreaterThan(0);
    await worker.stop({ grace: 0 });
    await working;
    expect(timers).toBe(0);
    await worker.runUntilIdle();
    expect(timers).toBe(0);
  });

  it("refuses a grace that is none", () => {
    const worker = createWorker({ storage: memory(), workflows: [] });
    expect(() => worker.stop({ grace: -1 })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});
