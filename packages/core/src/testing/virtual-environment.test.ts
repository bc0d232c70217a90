import { afterEach, describe, expect, it } from "vitest";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory } from "../memory.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { createWorker } from "../worker/worker.ts";
import { createTestEnvironment } from "./virtual-environment.ts";
import type { TestEnvironment } from "./test-environment.ts";

const done: TestEnvironment[] = [];
function environment(...args: Parameters<typeof createTestEnvironment>): TestEnvironment {
  const env = createTestEnvironment(...args);
  done.push(env);
  return env;
}
afterEach(async () => {
  for (const env of done.splice(0)) await env.close();
});

const reminder = workflow({ name: "reminder" }, async (ctx, days: number) => {
  const times: number[] = [];
  for (let day = 0; day < days; day++) {
    await ctx.sleep("1d");
    times.push(ctx.now().getTime());
  }
  return times;
});

describe("createTestEnvironment", () => {
  it("skips time step by step to each due timer", async () => {
    const env = environment({ workflows: [reminder] });
    const startedAt = env.clock.now();
    const run = await env.client.start(reminder, 3);
    await env.skip("2d");
    expect(await run.status()).toBe("suspended");
    await env.skip("1d");
    expect(await run.result()).toEqual([1, 2, 3].map((day) => startedAt + day * 86_400_000));
    expect(env.clock.now()).toBe(startedAt + 3 * 86_400_000);
  });

  it("skips years in no time, also while somebody waits for a result", async () => {
    const env = environment({ workflows: [reminder] });
    const run = await env.client.start(reminder, 1_000);
    const result = run.result();
    const began = performance.now();
    await env.skip(1_000 * 86_400_000);
    expect((await result).length).toBe(1_000);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("runUntilIdle waits for an activity that takes real time, and lets no virtual time pass", async () => {
    const slow = workflow({ name: "slow" }, (ctx) =>
      ctx.run("real", async () => {
        await new Promise((resolve) => void setTimeout(resolve, 40));
        return "done";
      }),
    );
    const env = environment({ workflows: [slow] });
    const startedAt = env.clock.now();
    const run = await env.client.start(slow, undefined);
    await env.runUntilIdle();
    expect(await run.status()).toBe("completed");
    expect(env.clock.now()).toBe(startedAt);
  });

  it("skip lets time pass for an activity that hangs, and other runs go on beside it", async () => {
    const hang = activity({ name: "hang", retry: 1, timeout: "1m" }, () => new Promise<void>(() => {}));
    const hanging = workflow({ name: "hanging" }, async (ctx) => {
      await ctx.run(hang, undefined).catch(() => {});
      return ctx.now().getTime();
    });
    const napping = workflow({ name: "napping" }, async (ctx) => {
      await ctx.sleep("10s");
      return ctx.now().getTime();
    });
    const env = environment({ workflows: [hanging, napping] });
    const startedAt = env.clock.now();
    const hung = await env.client.start(hanging, undefined);
    const napped = await env.client.start(napping, undefined);
    await env.skip("2m");
    expect(await hung.result()).toBe(startedAt + 60_000);
    expect(await napped.result()).toBe(startedAt + 10_000);
  });

  it("is the same world for the same seed", async () => {
    const lucky = workflow({ name: "lucky" }, async (ctx) => {
      await ctx
        .run("fails", () => Promise.reject(new Error("no")), { retry: { delay: "10s", jitter: 1 } })
        .catch(() => {});
      return [ctx.runId, ctx.random(), ctx.uuid(), ctx.now()];
    });
    const play = async (seed: string): Promise<unknown> => {
      const env = environment({ workflows: [lucky], seed });
      const run = await env.client.start(lucky, undefined);
      await env.skip("1h");
      return run.result();
    };
    expect(await play("a")).toEqual(await play("a"));
    expect(await play("a")).not.toEqual(await play("b"));
  });

  it("wakes a run by a signal at once", async () => {
    const go = signal<string>("go");
    const waiting = workflow({ name: "waiting" }, (ctx) => ctx.waitFor(go));
    const env = environment({ workflows: [waiting] });
    const run = await env.client.start(waiting, undefined);
    await env.runUntilIdle();
    await run.signal(go, "now");
    await env.runUntilIdle();
    expect(await run.result()).toBe("now");
  });

  it("closes although an activity hangs (I28)", async () => {
    const hanging = workflow({ name: "hanging" }, (ctx) => ctx.run("hang", () => new Promise<void>(() => {})));
    const env = createTestEnvironment({ workflows: [hanging] });
    await env.client.start(hanging, undefined);
    await env.skip("1s");
    await env.close();
    await expect(env.storage.now()).rejects.toMatchObject({ code: "misconfigured" });
  });

  it("stands still while a storage takes its time to answer, also across a crash", async () => {
    const work = workflow({ name: "work" }, async (ctx) => {
      await ctx.run("first", () => 1);
      await Promise.all([ctx.sleep("1h"), ctx.run("second", () => 2)]);
      return ctx.now().getTime();
    });
    const slowly = (storage: StorageBackend): StorageBackend =>
      new Proxy(storage, {
        get(target, key: keyof StorageBackend) {
          const member: unknown = target[key];
          if (typeof member !== "function") return member;
          return async (...args: readonly unknown[]) => {
            await new Promise((resolve) => void setTimeout(resolve, 25));
            const answer: unknown = await member.apply(target, args);
            await new Promise((resolve) => void setTimeout(resolve, 25));
            return answer;
          };
        },
      });
    const env = environment({ workflows: [work], storage: (clock) => slowly(memory({ clock })), lease: "30s" });
    const startedAt = env.clock.now();
    env.crashAfter("first");
    const run = await env.client.start(work, undefined);
    expect(await env.result(run)).toBe(startedAt + 30_000 + 3_600_000);
    expect((await run.history()).map(({ at }) => at - startedAt)).toEqual([
      0, 30_000, 30_000, 30_000, 3_630_000, 3_630_000,
    ]);
  });

  it("lets other workers over its storage have their turns before time goes on", async () => {
    const render = activity({ name: "render", queue: "gpu" }, async () => "rendered");
    const film = workflow({ name: "film" }, (ctx) => ctx.run(render, undefined));
    const env = environment({ workflows: [film] });
    const { storage, runtime } = env;
    const other = createWorker({ storage, runtime, workflows: [], activities: [render], queues: ["gpu"] });
    void other.run();
    const startedAt = env.clock.now();
    expect(await env.result(await env.client.start(film, undefined))).toBe("rendered");
    expect(env.clock.now() - startedAt).toBeLessThan(1_000);
    await other.stop();
  });

  it("refuses a time that is none", async () => {
    const env = environment({ workflows: [] });
    await expect(env.skip(-1)).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
