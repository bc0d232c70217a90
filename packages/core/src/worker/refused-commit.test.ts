import { describe, expect, it } from "vitest";
import { environment, faulty } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { UsageError } from "../errors/index.ts";
import type { WorkflowCommit } from "../storage.ts";
import { createWorker } from "./worker.ts";

const go = signal<string>("go");

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
