import { describe, expect, it, onTestFinished } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { type Intercept, intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { Logger } from "../model/logger.ts";
import type { Schema } from "../model/schema.ts";
import type { StorageBackend } from "../storage.ts";

const go = signal<number>("go");
const MOST_EVENTS = 8;
const MANY = 30;

/** A storage that takes few events in one commit, and its calls. */
function narrow(store: StorageBackend, calls: string[]): StorageBackend {
  const info = { ...store.info, limits: { ...store.info.limits, eventsPerCommit: MOST_EVENTS } };
  const count: Intercept = {
    claimTasks: (call) => {
      calls.push("claim");
      return call();
    },
    commitTasks: async (call, [commits]) => {
      calls.push("commit");
      const isRefused = commits.some((commit) => commit.kind === "workflow" && commit.events.length > MOST_EVENTS);
      return isRefused ? commits.map(() => ({ status: "invalid", code: "too-many-events" }) as const) : call();
    },
  };
  return intercepted(store, count, info);
}

describe.each(CACHES)("more unread signals than one commit takes, with %i runs kept in memory", (cacheRuns) => {
  const numbers = Array.from({ length: MANY }, (_, n) => n);
  const take = workflow({ name: "take" }, async (ctx) => {
    const taken: number[] = [];
    while (taken.length < MANY) taken.push(await ctx.waitFor(go));
    return taken;
  });
  const nap = workflow({ name: "nap", timeout: "1h" }, (ctx) => ctx.sleep("1d"));

  function setting(): { readonly env: ReturnType<typeof environment>; readonly calls: string[] } {
    const clock = virtualClock();
    const calls: string[] = [];
    return {
      env: environment({ workflows: [take, nap], cacheRuns, clock, storage: narrow(memory({ clock }), calls) }),
      calls,
    };
  }

  /** Payloads of the signals in a run's history, in its order. */
  async function recorded(run: {
    history(): Promise<readonly { readonly type: string; readonly data: object }[]>;
  }): Promise<unknown[]> {
    return (await run.history())
      .filter(({ type }) => type === "SIGNAL_RECEIVED")
      .map(({ data }) => (data as { readonly payload: unknown }).payload);
  }

  it("are recorded, each once and in order, before the end of a run that timed out (I9, I18)", async () => {
    const { env, calls } = setting();
    const run = await env.client.start(nap, undefined);
    await env.runUntilIdle();
    for (const n of numbers) await run.signal(go, n);
    env.clock.advance(3_600_000);
    calls.length = 0;
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
    expect(await recorded(run)).toEqual(numbers);
    expect(calls.length).toBeLessThanOrEqual(12);
  });

  it("are recorded before the end of a run that timed out before its first turn (I9, I18)", async () => {
    const { env, calls } = setting();
    const run = await env.client.start(nap, undefined);
    for (const n of numbers) await run.signal(go, n);
    env.clock.advance(3_600_000);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
    expect(await recorded(run)).toEqual(numbers);
    expect(calls.length).toBeLessThanOrEqual(12);
  });

  it("are recorded before the end of a run that is terminated without a worker (I4, I18)", async () => {
    const { env, calls } = setting();
    const run = await env.client.start(nap, undefined);
    await env.runUntilIdle();
    for (const n of numbers) await run.signal(go, n);
    calls.length = 0;
    await run.terminate({ reason: "enough" });
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    expect(await recorded(run)).toEqual(numbers);
    expect(calls.length).toBeLessThanOrEqual(12);
  });

  it("are recorded before a start in the future, and the code gets them all (I9, I18)", async () => {
    const { env, calls } = setting();
    const run = await env.client.start(take, undefined, { startAt: "1h" });
    for (const n of numbers) await run.signal(go, n);
    await env.runUntilIdle();
    expect(await recorded(run)).toEqual(numbers);
    expect(calls.length).toBeLessThanOrEqual(20);
    expect((await env.storage.getRun(run.runId))?.task).toMatchObject({ unread: 0, leaseUntil: null, blocked: null });
    await env.skip("1h");
    expect(await run.result()).toEqual(numbers);
    expect(await recorded(run)).toEqual(numbers);
  });
});

describe.each(CACHES)("a signal with the id of a request, with %i runs kept in memory", (cacheRuns) => {
  const loyal = workflow({ name: "loyal" }, async (ctx) => {
    const seen: (number | string)[] = [];
    for (const _ of ["signal", "cancel"]) {
      try {
        seen.push(await ctx.waitFor(go));
      } catch {
        seen.push("cancelled");
      }
    }
    return seen;
  });

  it("does not swallow a cancel request, nor the other way round (I11)", async () => {
    const env = environment({ workflows: [loyal], cacheRuns });
    const first = await env.client.start(loyal, undefined);
    const second = await env.client.start(loyal, undefined);
    await env.runUntilIdle();
    await first.signal(go, 1, { id: "cancel" });
    await first.cancel();
    await second.cancel();
    await second.signal(go, 2, { id: "cancel" });
    await env.runUntilIdle();
    expect(await first.result()).toEqual([1, "cancelled"]);
    expect(await second.result()).toEqual(["cancelled", 2]);
  });

  it("does not swallow a termination (I4)", async () => {
    const env = environment({ workflows: [loyal], cacheRuns });
    const run = await env.client.start(loyal, undefined);
    await env.runUntilIdle();
    await run.signal(go, 1, { id: "terminate" });
    await run.terminate();
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_AWAITED",
      "SIGNAL_RECEIVED",
      "WORKFLOW_CANCELLED",
    ]);
  });

  it("does not swallow a termination of a run that is held, nor the other way round (I4)", async () => {
    const hang = workflow({ name: "hang" }, (ctx) => ctx.run("hang", () => new Promise<void>(() => {})));
    for (const isSignalFirst of [true, false]) {
      const env = environment({ workflows: [hang], cacheRuns });
      const run = await env.client.start(hang, undefined);
      await env.skip("1s");
      if (isSignalFirst) await run.signal(go, 1, { id: "terminate" });
      await run.terminate({ reason: "enough" });
      if (!isSignalFirst) await run.signal(go, 1, { id: "terminate" });
      await env.skip("10s");
      await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    }
  });
});

describe("a logger that throws", () => {
  it("costs no run: it is blocked or goes on as it should, and the worker stops (I9)", async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", listener);
    onTestFinished(() => void process.off("unhandledRejection", listener));
    const fail = (): never => {
      throw new Error("The disk is full.");
    };
    const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail };
    const before = workflow({ name: "order" }, async (ctx) => {
      await ctx.run("charge", () => 1);
      await ctx.waitFor(go);
    });
    const after = workflow({ name: "order" }, (ctx) => ctx.run("bill", () => 1));
    const talks = workflow({ name: "talks" }, async (ctx) => {
      ctx.logger.info("in the workflow");
      return ctx.run("work", ({ logger: log }) => {
        log.info("in the activity");
        return "done";
      });
    });
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [before, talks], storage, clock, logger });
    const run = await env.client.start(before, undefined);
    await env.runUntilIdle();
    const deployed = environment({ workflows: [after], storage, clock, seed: "deployed", logger, replays: false });
    await run.signal(go, 1);
    await deployed.runUntilIdle();
    expect(await run.describe()).toMatchObject({ status: "suspended", blocked: { code: "determinism" } });
    const talking = await env.client.start(talks, undefined);
    await env.skip("1s");
    expect(await talking.result()).toBe("done");
    await deployed.worker.stop();
    await env.worker.stop();
    await new Promise((resolve) => void setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});

describe("a schema that answers asynchronously", () => {
  const later: Schema<number, number> = {
    "~standard": { version: 1, vendor: "test", validate: async (value) => ({ value: value as number }) },
  };

  it("fails the run whose output it is for, by a clear error, and does not block it", async () => {
    const definition = workflow({ name: "definition", output: later }, async () => 1);
    const env = environment({ workflows: [definition] });
    const run = await env.client.start(definition, undefined);
    await env.runUntilIdle();
    expect(await run.status()).toBe("failed");
    await expect(run.result()).rejects.toMatchObject({
      failure: { code: "unsupported", message: expect.stringContaining('output of workflow "definition"') as unknown },
    });
  });

  it("is refused where the code sends a signal, which is not sent", async () => {
    const slow = signal("slow", later);
    const definition = workflow({ name: "definition" }, (ctx) => ctx.signal("other", slow, 1));
    const env = environment({ workflows: [definition] });
    const run = await env.client.start(definition, undefined);
    await env.runUntilIdle();
    expect(await run.status()).toBe("failed");
    await expect(run.result()).rejects.toMatchObject({
      failure: { code: "unsupported", message: expect.stringContaining('payload of signal "slow"') as unknown },
    });
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "WORKFLOW_FAILED"]);
  });
});

describe.each(CACHES)("times in a history, with %i runs kept in memory", (cacheRuns) => {
  it("never go back, and a sleep is over no sooner than it said, whatever a commit takes (I10)", async () => {
    const definition = workflow({ name: "definition" }, async (ctx) => {
      const early: number[] = [];
      const step = (name: string): Promise<string> => ctx.run(name, () => name);
      for (let n = 0; n < 2; n++) {
        for (const name of ["a", "b", "c"]) await step(name);
        const before = ctx.now().getTime();
        await ctx.sleep("2s");
        if (ctx.now().getTime() < before + 2_000) early.push(n);
      }
      for (const name of ["x", "y", "z"]) await step(name);
      return early;
    });
    // One slow commit at a time makes the worker believe that the clock is ahead; the next one corrects it.
    for (let slow = 1; slow <= 11; slow++) {
      const clock = virtualClock();
      const storage = intercepted(memory({ clock }), {
        commitTasks: (call, _, nth) => {
          if (nth === slow) clock.advance(700);
          return call();
        },
      });
      const env = environment({ workflows: [definition], cacheRuns, storage, clock });
      const run = await env.client.start(definition, undefined);
      await env.skip("1m");
      expect(await run.result(), `commit ${slow}`).toEqual([]);
      const history = await run.history();
      const times = history.map(({ at }) => at);
      expect(times, `commit ${slow}`).toEqual(times.toSorted((a, b) => a - b));
      for (const { command, at, type } of history) {
        if (type !== "TIMER_FIRED") continue;
        const timer = history.find((event) => event.type === "TIMER_STARTED" && event.command === command);
        expect(at).toBeGreaterThanOrEqual((timer!.data as { readonly dueAt: number }).dueAt);
      }
    }
  });

  it("never go back when somebody else ends the run, whose clock is not ahead", async () => {
    const definition = workflow({ name: "definition", timeout: "1h" }, (ctx) => ctx.waitFor(go));
    for (const end of ["terminate", "cancel before the start"]) {
      const env = environment({ workflows: [definition], cacheRuns });
      const run = await env.client.start(definition, undefined, { startAt: "10m" });
      if (end === "terminate") await run.terminate();
      else await run.cancel();
      await env.runUntilIdle();
      const times = (await run.history()).map(({ at }) => at);
      expect(times, `by ${end}`).toEqual(times.toSorted((a, b) => a - b));
    }
  });
});
