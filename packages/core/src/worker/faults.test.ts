import { describe, expect, it } from "vitest";
import { CACHES, environment, faulty } from "../../test/environment.ts";
import { type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { TestEnvironmentOptions } from "../testing.ts";

const go = signal<string>("go");

describe.each(CACHES)("a storage that loses replies, with %i runs kept in memory", (cacheRuns) => {
  /** Everything that a run can do, in a few commits. */
  function scenario(): { readonly executed: string[]; readonly workflows: TestEnvironmentOptions["workflows"] } {
    const executed: string[] = [];
    const work = activity({ name: "work", retry: { delay: "1s", jitter: 0 } }, async (name: string, { attempt }) => {
      executed.push(`${name}${attempt}`);
      if (name === "b" && attempt === 1) throw new Error("no");
      return name;
    });
    const child = workflow({ name: "child" }, async (ctx, n: number) => {
      await ctx.sleep("1m");
      return n * 2;
    });
    const main = workflow({ name: "main", state: { initial: { step: 0 } } }, async (ctx, _input: string) => {
      const names = await Promise.all(["a", "b"].map((name) => ctx.run(work, name)));
      ctx.state.set("step", 1);
      await ctx.sleep("1h");
      const doubled = await ctx.child(child, 21, { id: "kid" });
      await ctx.signal(ctx.runId, go, "hello");
      const got = await ctx.waitFor(go);
      ctx.state.update(({ step }) => ({ step: step + 1 }));
      return [names, doubled, got, ctx.state.get("step")];
    });
    return { executed, workflows: [main, child] };
  }

  /** `intercept` sees the calls of the run's life, not those of the test around it. */
  async function play(
    intercept: Intercept,
  ): Promise<{ readonly outcome: unknown; readonly types: readonly string[]; readonly executed: readonly string[] }> {
    const { executed, workflows } = scenario();
    let playing = false;
    const whilePlaying = Object.fromEntries(
      Object.entries(intercept).map(([verb, through]) => {
        let nth = 0;
        const guarded = (call: () => unknown, args: unknown): unknown =>
          playing ? (through as (...args: unknown[]) => unknown)(call, args, ++nth) : call();
        return [verb, guarded];
      }),
    ) as Intercept;
    const env = faulty(whilePlaying, { workflows, cacheRuns });
    const run = await env.client.start(workflows[0]!, "x", { id: "main-1" });
    playing = true;
    await env.skip("3h");
    playing = false;
    const types = (await run.history()).map(({ type }) => type);
    return { outcome: await run.result(), types, executed };
  }

  it("every n-th commit, start and message applied, then unanswered: the same outcome, nothing twice (I7, I12)", async () => {
    const clean = await play({});
    expect(clean.outcome).toEqual([["a", "b"], 42, "hello", 2]);
    expect(clean.executed).toEqual(["a1", "b1", "b2"]);
    for (const verb of ["commitTasks", "createRuns", "deliver"] as const) {
      for (let faulted = 1, fired = true; fired; faulted++) {
        fired = false;
        const lose = async (call: () => Promise<never>, _: unknown, nth: number): Promise<never> => {
          const answer = await call();
          if (nth !== faulted) return answer;
          fired = true;
          throw unavailable();
        };
        const played = await play({ [verb]: lose });
        expect(played, `${verb} ${faulted}`).toEqual(clean);
      }
    }
  });

  it("every n-th call failed before it was applied: the same outcome", async () => {
    const clean = await play({});
    for (const verb of ["commitTasks", "claimTasks", "createRuns", "deliver", "getRun", "readEvents"] as const) {
      for (let faulted = 1, fired = true; fired; faulted++) {
        fired = false;
        const fail = async (call: () => Promise<never>, _: unknown, nth: number): Promise<never> => {
          if (nth !== faulted) return call();
          fired = true;
          throw unavailable();
        };
        const { outcome, types } = await play({ [verb]: fail });
        expect([outcome, types], `${verb} ${faulted}`).toEqual([clean.outcome, clean.types]);
      }
    }
  });

  it("every n-th claim made, then unanswered: what was claimed is handed out again at once", async () => {
    const clean = await play({});
    for (let faulted = 1, fired = true; fired; faulted++) {
      fired = false;
      const played = await play({
        claimTasks: async (call, _, nth) => {
          const answer = await call();
          if (nth !== faulted) return answer;
          fired = true;
          throw unavailable();
        },
      });
      expect(played, `claim ${faulted}`).toEqual(clean);
    }
  });
});

describe("a run that cannot be carried on", () => {
  it("is tried again when its lease ends, not at once", async () => {
    let isDown = false;
    let reads = 0;
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      readEvents: (call) => {
        if (!isDown) return call();
        reads++;
        return Promise.reject(unavailable());
      },
    });
    const long = workflow({ name: "long" }, async (ctx) => {
      for (let n = 0; n < 20; n++) ctx.sideEffect(`n${n}`, () => n);
      await ctx.sleep("1m");
      return "done";
    });
    const env = environment({ workflows: [long], clock, storage, cacheRuns: 0, lease: "15s" });
    const run = await env.client.start(long, undefined);
    await env.runUntilIdle();
    isDown = true;
    await env.skip("2m");
    expect(reads).toBeGreaterThanOrEqual(3);
    expect(reads).toBeLessThanOrEqual(6);
    isDown = false;
    await env.skip("15s");
    expect(await run.result()).toBe("done");
  });
});

describe("a claim whose answer was slow", () => {
  it("is proven from when it was sent: the worker stops in time (I6)", async () => {
    const clock = virtualClock();
    let isSlow = true;
    const storage = intercepted(memory({ clock }), {
      renewLeases: () => Promise.reject(unavailable()),
      claimTasks: async (call) => {
        const answer = await call();
        if (isSlow) await new Promise<void>((resolve) => void env.runtime.after(10_000, resolve));
        isSlow = false;
        return answer;
      },
    });
    let startedAt = 0;
    let abortedAt = 0;
    const hang = workflow({ name: "hang" }, (ctx) =>
      ctx.run("hang", ({ signal: fired }) => {
        startedAt ||= clock.now();
        fired.addEventListener("abort", () => {
          abortedAt ||= clock.now();
        });
        return new Promise<void>(() => {});
      }),
    );
    const env = environment({ workflows: [hang], clock, storage, lease: "15s" });
    const claimedAt = clock.now();
    const run = await env.client.start(hang, undefined);
    await env.skip("14s");
    expect([startedAt - claimedAt, abortedAt]).toEqual([10_000, 0]);
    await env.skip("1s");
    expect(abortedAt - claimedAt).toBeLessThanOrEqual(15_000);
    expect(abortedAt).not.toBe(0);
    await run.terminate();
  });
});
