import { describe, expect, it } from "vitest";
import { CACHES, environment, faulty } from "../../test/environment.ts";
import { gate, type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { UsageError } from "../errors/index.ts";
import type { TestEnvironmentOptions } from "../testing.ts";
import type { WorkflowCommit } from "../storage.ts";
import { createWorker } from "./worker.ts";

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

describe("a refused commit", () => {
  it("throws the run in memory away: what it had asked for is not executed, and it starts from history again (I6)", async () => {
    const executed: string[] = [];
    const definition = workflow({ name: "definition" }, async (ctx) => {
      await ctx.run("first", () => void executed.push("first"));
      await ctx.run("second", () => void executed.push("second"));
      return "done";
    });
    let refused = 0;
    const env = faulty(
      {
        commitTasks: async (call, [commits], nth) => {
          if (nth > 1) return call();
          refused++;
          return commits.map(() => ({ status: "lease-lost" }) as const);
        },
      },
      { workflows: [definition] },
    );
    const run = await env.client.start(definition, undefined);
    await env.skip("1m");
    expect(await run.result()).toBe("done");
    expect(refused).toBe(1);
    expect(executed).toEqual(["first", "first", "second"]);
    expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(2);
  });

  it("whenever it comes, nothing is executed whose reason was not durable (I13)", async () => {
    for (let faulted = 1, fired = true; fired; faulted++) {
      fired = false;
      const executed: number[] = [];
      const durable: number[] = [];
      const chain = workflow({ name: "chain" }, async (ctx) => {
        for (let step = 0; step < 5; step++) await ctx.run(`step ${step}`, () => void executed.push(step));
        return "done";
      });
      const env = faulty(
        {
          commitTasks: async (call, [commits], nth) => {
            for (const step of executed) {
              // The step before was acknowledged before this one was executed.
              if (step > 0) expect(durable).toContain(step - 1);
            }
            if (nth === faulted) {
              fired = true;
              return commits.map(() => ({ status: "lease-lost" }) as const);
            }
            const results = await call();
            for (const commit of commits as readonly WorkflowCommit[]) {
              for (const { type, command } of commit.events)
                if (type === "ACTIVITY_COMPLETED") durable.push(command! - 1);
            }
            return results;
          },
        },
        { workflows: [chain] },
      );
      const run = await env.client.start(chain, undefined);
      await env.skip("1m");
      expect(await run.result()).toBe("done");
      expect(durable).toEqual([0, 1, 2, 3, 4]);
      expect(executed.length).toBeLessThanOrEqual(6);
    }
  });

  it("because another worker took the run over: its activity's signal fires, and its result changes nothing (I6, I8)", async () => {
    const aborted: string[] = [];
    const executions: number[] = [];
    const late = gate();
    const slow = activity({ name: "slow" }, async (_: undefined, { signal: fired, attempt }) => {
      executions.push(attempt);
      if (executions.length > 1) return "second";
      fired.addEventListener("abort", () => void aborted.push((fired.reason as Error).message));
      await late.passed;
      return "late";
    });
    const definition = workflow({ name: "definition" }, (ctx) => ctx.run(slow, undefined));
    // The first worker's renewals do not get through: a partition.
    const clock = virtualClock();
    const store = memory({ clock });
    const env = environment({
      workflows: [definition],
      clock,
      lease: "15s",
      storage: intercepted(store, { renewLeases: () => Promise.reject(unavailable()) }),
    });
    const run = await env.client.start(definition, undefined);
    await env.skip("14s");
    expect(aborted).toEqual([]);
    await env.skip("1s");
    expect(aborted).toEqual([expect.stringContaining("no longer prove") as unknown]);
    const other = createWorker({ storage: store, runtime: env.runtime, workflows: [definition] });
    await other.runUntilIdle();
    late.open();
    await env.skip("1m");
    expect(await run.result()).toBe("second");
    expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(1);
    expect(env.logs.map(({ fields }) => fields["code"])).toContain("storage-unavailable");
  });

  it("as too large, malformed or otherwise impossible blocks the run with the reason, and others go on", async () => {
    const answers = [
      () => Promise.reject(new UsageError("payload-too-large", "Too large.")),
      async () => [{ status: "invalid", code: "too-large" }] as const,
    ];
    for (const answer of answers) {
      const large = workflow({ name: "large" }, async (ctx) => {
        await ctx.run("work", () => "much");
      });
      const small = workflow({ name: "small" }, async (ctx) => ctx.run("work", () => "little"));
      const env = faulty(
        {
          commitTasks: (call, [commits]) => {
            const isLarge = (commits as readonly WorkflowCommit[]).some(({ events }) =>
              events.some(({ data }) => data.includes("much")),
            );
            return isLarge ? answer() : call();
          },
        },
        { workflows: [large, small], concurrency: 1 },
      );
      const run = await env.client.start(large, undefined);
      const other = await env.client.start(small, undefined);
      await env.skip("1s");
      expect(await run.describe()).toMatchObject({ status: "suspended", blocked: { code: "refused" } });
      expect(await other.result()).toBe("little");
      expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED"]);
    }
  });

  it("that crosses a signal keeps it: what is committed in parts acknowledges its messages with the last part (I11, I18)", async () => {
    const definition = workflow({ name: "definition" }, async (ctx) => {
      for (let n = 0; n < 30; n++) ctx.sideEffect(`n${n}`, () => n);
      const got = await ctx.waitFor(go);
      for (let n = 0; n < 30; n++) ctx.sideEffect(`m${n}`, () => n);
      return got;
    });
    for (let faulted = 1, fired = true; fired; faulted++) {
      fired = false;
      const clock = virtualClock();
      const store = memory({ clock });
      const small = new Proxy(store, {
        get: (target, key) =>
          key === "info"
            ? { ...target.info, limits: { ...target.info.limits, eventsPerCommit: 8 } }
            : bound(target, key),
      });
      const env = environment({
        workflows: [definition],
        clock,
        storage: intercepted(small, {
          commitTasks: async (call, [commits], nth) => {
            for (const commit of commits as readonly WorkflowCommit[])
              expect(commit.events.length).toBeLessThanOrEqual(8);
            if (nth !== faulted) return call();
            fired = true;
            return commits.map(() => ({ status: "lease-lost" }) as const);
          },
        }),
      });
      const run = await env.client.start(definition, undefined);
      await run.signal(go, "kept");
      await env.skip("1m");
      expect(await run.result(), `commit ${faulted}`).toBe("kept");
      const types = (await run.history()).map(({ type }) => type);
      expect(types.filter((type) => type === "SIDE_EFFECT_RECORDED")).toHaveLength(60);
      expect(
        types.filter((type) => type === "SIGNAL_RECEIVED"),
        `commit ${faulted}`,
      ).toHaveLength(1);
      expect(types).toHaveLength(64);
    }
  });
});

describe("an effect", () => {
  it("is not carried out before its intent is durable, whichever commit is refused (I13)", async () => {
    const child = workflow({ name: "child" }, (ctx) => ctx.waitFor(go));
    const parent = workflow({ name: "parent" }, async (ctx) => {
      await ctx.run("first", () => null);
      const kid = ctx.child(child, undefined, { id: "kid" });
      await kid.signal(go, "hello");
      return kid;
    });
    for (let faulted = 1, fired = true; fired; faulted++) {
      fired = false;
      const clock = virtualClock();
      const store = memory({ clock });
      const recorded = async (type: string): Promise<boolean> => {
        const [page] = await store.readEvents([{ runId: "parent", after: 0 }]);
        return page!.events.some((event) => event.type === type);
      };
      const storage = intercepted(store, {
        commitTasks: async (call, [commits], nth) => {
          if (nth !== faulted) return call();
          fired = true;
          return commits.map(() => ({ status: "lease-lost" }) as const);
        },
        createRuns: async (call, [runs]) => {
          if (runs.some(({ runId }) => runId === "kid")) expect(await recorded("CHILD_SCHEDULED")).toBe(true);
          return call();
        },
        deliver: async (call, [messages]) => {
          if (messages.some(({ runId }) => runId === "kid")) {
            expect(await recorded("SIGNAL_SENT")).toBe(true);
            expect((await recorded("CHILD_STARTED")) || (await store.getRun("kid")) !== undefined).toBe(true);
          }
          return call();
        },
      });
      const env = environment({ workflows: [parent, child], clock, storage });
      const run = await env.client.start(parent, undefined, { id: "parent" });
      await env.skip("1m");
      expect(await run.result(), `commit ${faulted}`).toBe("hello");
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

describe("a commit in parts", () => {
  it("has the run's row with its first part: a crash after it leaves no row behind its history", async () => {
    const definition = workflow({ name: "definition", state: { initial: { n: 0 } } }, async (ctx) => {
      ctx.state.set("n", 1);
      ctx.attributes.set({ tier: "gold" });
      for (let n = 0; n < 20; n++) ctx.sideEffect(`n${n}`, () => n);
      await ctx.waitFor(go);
    });
    for (let faulted = 1, fired = true; fired; faulted++) {
      fired = false;
      const clock = virtualClock();
      const store = memory({ clock });
      const small = { ...store.info, limits: { ...store.info.limits, eventsPerCommit: 8 } };
      const refuse = async (
        call: () => Promise<never>,
        [commits]: [readonly unknown[]],
        nth: number,
      ): Promise<never> => {
        if (nth !== faulted) return call();
        fired = true;
        return commits.map(() => ({ status: "lease-lost" })) as never;
      };
      const storage = intercepted(store, { commitTasks: refuse as never }, small);
      const env = environment({ workflows: [definition], clock, storage });
      const run = await env.client.start(definition, undefined);
      await env.skip("1m");
      const { attributes, waitingFor } = await run.describe();
      expect(waitingFor).toHaveLength(1);
      expect([await run.state(), attributes], `commit ${faulted}`).toEqual([{ n: 1 }, { tier: "gold" }]);
    }
  });
});

describe("many large results at once", () => {
  it("are committed in parts that the storage takes", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    const limits = { ...store.info.limits, commitBytes: 400_000 };
    const small = new Proxy(store, {
      get: (target, key) => (key === "info" ? { ...target.info, limits } : bound(target, key)),
    });
    const fan = workflow({ name: "fan" }, async (ctx) => {
      const outputs = await Promise.all(
        Array.from({ length: 20 }, (_, n) => ctx.run(`large ${n}`, () => "x".repeat(90_000))),
      );
      return outputs.length;
    });
    const env = environment({
      workflows: [fan],
      clock,
      storage: intercepted(small, {
        commitTasks: async (call, [commits]) => {
          for (const { events } of commits as readonly WorkflowCommit[]) {
            expect(events.reduce((bytes, { data }) => bytes + data.length, 0)).toBeLessThan(limits.commitBytes);
          }
          return call();
        },
      }),
    });
    const run = await env.client.start(fan, undefined);
    await env.skip("1s");
    expect(await run.result()).toBe(20);
  });
});

function bound(target: object, key: PropertyKey): unknown {
  const member: unknown = Reflect.get(target, key);
  return typeof member === "function" ? (member.bind(target) as unknown) : member;
}
