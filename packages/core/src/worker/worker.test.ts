import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { running } from "../../test/workers.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { WorkflowCommit } from "../storage.ts";
import { createWorker } from "./worker.ts";

const go = signal<string>("go");
const quick = workflow({ name: "quick" }, async (ctx, n: number) => ctx.run("work", () => n * 2));
const nap = workflow({ name: "nap" }, async (ctx) => {
  await ctx.sleep("1h");
  return "rested";
});
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

describe("worker.run", () => {
  it("takes what is there and what comes, wakes at due times, and resolves after stop", async () => {
    const env = environment({ workflows: [quick, nap, wait] });
    const early = await env.client.start(quick, 1);
    const { worker, working } = running(env, { workflows: [quick, nap, wait] });
    expect(await early.result()).toBe(2);
    const [late, sleeper, waiter] = [
      await env.client.start(quick, 2),
      await env.client.start(nap, undefined),
      await env.client.start(wait, undefined),
    ];
    expect(await late.result()).toBe(4);
    await env.runtime.calm();
    await waiter.signal(go, "woken");
    expect(await waiter.result()).toBe("woken");
    env.clock.advance(3_600_000);
    expect(await sleeper.result()).toBe("rested");
    await worker.stop();
    await working;
    const after = await env.client.start(quick, 3);
    await env.runtime.calm();
    expect(await after.status()).toBe("pending");
  });

  it("ends when its signal fires, also when it has fired before", async () => {
    const env = environment({ workflows: [quick] });
    const controller = new AbortController();
    const worker = createWorker({ storage: env.storage, runtime: env.runtime, workflows: [quick] });
    const working = worker.run({ signal: controller.signal });
    await env.runtime.calm();
    controller.abort();
    await expect(working).resolves.toBeUndefined();
    const another = createWorker({ storage: env.storage, runtime: env.runtime, workflows: [quick] });
    await expect(another.run({ signal: AbortSignal.abort() })).resolves.toBeUndefined();
  });

  it("stopped before it has begun, never begins", async () => {
    const env = environment({ workflows: [quick] });
    const worker = createWorker({ storage: env.storage, runtime: env.runtime, workflows: [quick] });
    await worker.stop();
    await worker.run();
    const run = await env.client.start(quick, 1);
    await worker.runUntilIdle();
    expect(await worker.runOnce()).toBe(0);
    expect(await run.status()).toBe("pending");
  });

  it("finds new work although its next due time is far away and no hint comes (I11)", async () => {
    for (const wakeups of ["none", "in-process"] as const) {
      const clock = virtualClock();
      const store = memory({ clock });
      const deaf = new Proxy(store, {
        get(target, key) {
          if (key === "subscribe")
            return wakeups === "none" ? undefined : async () => ({ add() {}, delete() {}, close: async () => {} });
          if (key === "info") return { ...target.info, capabilities: { ...target.info.capabilities, wakeups } };
          const member: unknown = Reflect.get(target, key);
          return typeof member === "function" ? (member.bind(target) as unknown) : member;
        },
      });
      const env = environment({ workflows: [quick, nap], storage: deaf, clock });
      running(env, { workflows: [quick, nap] });
      await env.client.start(nap, undefined);
      env.clock.advance(10_000);
      await env.runtime.calm();
      const run = await env.client.start(quick, 1);
      env.clock.advance(wakeups === "none" ? 400 : 6_500);
      await env.runtime.calm();
      expect((await store.getRun(run.runId))?.status).toBe("completed");
    }
  });

  it("waits for a storage that is unavailable, without hammering it", async () => {
    let down = true;
    let claims = 0;
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      claimTasks: (call) => {
        claims++;
        return down ? Promise.reject(unavailable()) : call();
      },
    });
    const env = environment({ workflows: [quick], storage, clock });
    const run = await env.client.start(quick, 1);
    running(env, { workflows: [quick] });
    for (let second = 0; second < 10; second++) {
      env.clock.advance(1_000);
      await env.runtime.calm();
    }
    expect(claims).toBeLessThanOrEqual(25);
    down = false;
    env.clock.advance(1_000);
    expect(await run.result()).toBe(2);
  });

  it("ends with the error when the storage is beyond waiting for", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    const env = environment({ workflows: [quick], storage: store, clock, replays: false });
    const { working } = running(env, { workflows: [quick] });
    await env.runtime.calm();
    await store.close();
    env.clock.advance(10_000);
    await expect(working).rejects.toMatchObject({ code: "misconfigured" });
    await expect(env.runUntilIdle()).rejects.toMatchObject({ code: "misconfigured" });
  });

  it("idle for a minute costs next to nothing (I28)", async () => {
    const calls: string[] = [];
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      claimTasks: (call) => {
        calls.push("claim");
        return call();
      },
      renewLeases: (call) => {
        calls.push("renew");
        return call();
      },
    });
    const env = environment({ workflows: [quick], storage, clock });
    let timers = 0;
    const after: typeof env.runtime.after = (...args) => {
      timers++;
      return env.runtime.after(...args);
    };
    running(env, { workflows: [quick], runtime: { ...env.runtime, after } });
    const run = await env.client.start(quick, 1);
    await run.result();
    await env.runtime.calm();
    timers = calls.length = 0;
    for (let ms = 0; ms < 60_000; ms += 50) {
      env.clock.advance(50);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    await env.runtime.calm();
    expect(calls.filter((call) => call === "renew")).toEqual([]);
    expect(calls.length).toBeLessThanOrEqual(60 / 3);
    expect(timers).toBeLessThanOrEqual(60 / 3);
  });

  it("works through a backlog in batches, with no more runs at a time than it has room for", async () => {
    const limits: number[] = [];
    let held = 0;
    let most = 0;
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      claimTasks: async (call, [request]) => {
        const answer = await call();
        limits.push(answer.tasks.length);
        expect(request.limit).toBeLessThanOrEqual(15);
        return answer;
      },
    });
    const busy = workflow({ name: "busy" }, (ctx) =>
      ctx.run("work", async () => {
        most = Math.max(most, ++held);
        await new Promise((resolve) => void setImmediate(resolve));
        held--;
      }),
    );
    const env = environment({ workflows: [busy], storage, clock, concurrency: 10 });
    const runs = await env.client.startMany(
      Array.from({ length: 100 }, () => ({ definition: busy, input: undefined })),
    );
    await env.runUntilIdle();
    for (const run of runs) expect(await run.status()).toBe("completed");
    expect(most).toBe(10);
    expect(limits.filter((count) => count > 0).length).toBeLessThan(60);
  });
});

describe("a worker with more slots than its storage takes in a batch", () => {
  it("goes on with other runs while it holds one (I27)", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    const small = { ...store.info, limits: { ...store.info.limits, batch: 8 } };
    const slow = gate();
    const long = workflow({ name: "long" }, (ctx) => ctx.run("wait", () => slow.passed));
    const env = environment({ workflows: [long, quick], clock, storage: intercepted(store, {}, small) });
    const first = await env.client.start(long, undefined);
    await env.skip("1s");
    expect(await first.status()).toBe("running");
    const second = await env.client.start(quick, 1);
    await env.skip("10s");
    expect(await second.status()).toBe("completed");
    slow.open();
    await env.skip("1s");
    expect(await first.status()).toBe("completed");
  });
});

describe("a run that is claimed again before the answer to its park is in", () => {
  it("is held once, and comes through", async () => {
    const clock = virtualClock();
    const answers = gate();
    let holdBack = true;
    const storage = intercepted(memory({ clock }), {
      commitTasks: async (call, [commits]) => {
        const results = await call();
        // The park is applied; its answer is slow.
        if (holdBack && (commits as readonly WorkflowCommit[]).some(({ next }) => next.do === "park"))
          await answers.passed;
        return results;
      },
    });
    let executions = 0;
    const working = gate();
    const twice = workflow({ name: "twice" }, async (ctx) => {
      const first = await ctx.waitFor(go);
      await ctx.run("slow", () => {
        executions++;
        return working.passed;
      });
      return [first, await ctx.waitFor(go)];
    });
    const env = environment({ workflows: [twice], storage, clock });
    running(env, { workflows: [twice], lease: "5s" });
    const run = await env.client.start(twice, undefined);
    await env.runtime.calm();
    holdBack = false;
    await run.signal(go, "a");
    await env.runtime.calm();
    answers.open();
    // Longer than its lease: it is renewed.
    for (let ms = 0; ms < 20_000; ms += 50) {
      await env.runtime.calm();
      env.clock.advance(50);
    }
    working.open();
    await run.signal(go, "b");
    await env.runtime.calm();
    expect(await run.result()).toEqual(["a", "b"]);
    expect(executions).toBe(1);
  });
});
