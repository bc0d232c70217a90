import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { createClient } from "../client/client.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { WorkflowCommit } from "../storage.ts";

const go = signal<string>("go");

describe("a signal whose answer was lost", () => {
  it("has arrived, though the run that took it has ended before it is repeated (I12)", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    let lost = 0;
    const storage = intercepted(store, {
      deliver: async (call, [messages]) => {
        const answer = await call();
        if (lost > 0 || messages.every(({ runId }) => runId !== "listener")) return answer;
        while ((await store.getRun("listener"))?.status === "open")
          await new Promise((resolve) => setImmediate(resolve));
        lost++;
        throw unavailable();
      },
    });
    const listener = workflow({ name: "listener" }, (ctx) => ctx.waitFor(signal<number>("go")));
    const sender = workflow({ name: "sender" }, (ctx) => ctx.signal("listener", signal<number>("go"), 7));
    const env = environment({ workflows: [listener, sender], clock, storage });
    const listening = await env.client.start(listener, undefined, { id: "listener" });
    const run = await env.client.start(sender, undefined);
    await env.skip("1s");
    expect([await listening.result(), await run.result(), lost]).toEqual([7, undefined, 1]);
    expect((await run.history()).find(({ type }) => type === "SIGNAL_DELIVERED")?.data).toEqual({ status: "accepted" });
  });
});

describe.each(CACHES)("signals, with %i runs kept in memory", (cacheRuns) => {
  const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

  it("before the first turn, before the wait and after it: none is lost, and each is consumed once (I18)", async () => {
    const three = workflow({ name: "three" }, async (ctx) => {
      await ctx.sleep("1h");
      return [await ctx.waitFor(go), await ctx.waitFor(go), await ctx.waitFor(go)];
    });
    const env = environment({ workflows: [three], cacheRuns });
    const run = await env.client.start(three, undefined);
    await run.signal(go, "1");
    await env.skip("30m");
    await run.signal(go, "2");
    await env.skip("1h");
    await run.signal(go, "3");
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["1", "2", "3"]);
  });

  it("after the end is refused", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await run.signal(go, "1");
    await env.runUntilIdle();
    await expect(run.signal(go, "2")).rejects.toMatchObject({
      code: "run-closed",
      message: expect.stringContaining(run.runId) as unknown,
    });
    await expect(env.client.handle("nobody").signal(go, "x")).rejects.toMatchObject({ code: "run-not-found" });
  });

  it("with an id count once, however often they are sent", async () => {
    const two = workflow({ name: "two" }, async (ctx) => [await ctx.waitFor(go), await ctx.waitFor(go)]);
    const env = environment({ workflows: [two], cacheRuns });
    const run = await env.client.start(two, undefined);
    await Promise.all([1, 2, 3].map(() => run.signal(go, "a", { id: "same" })));
    await env.runUntilIdle();
    await run.signal(go, "a", { id: "same" });
    await env.runUntilIdle();
    expect(await run.status()).toBe("suspended");
    await run.signal(go, "b", { id: "other" });
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["a", "b"]);
  });

  it("many at once keep the order in which they were sent (I18)", async () => {
    const all = workflow({ name: "all" }, async (ctx, count: number) => {
      const seen: string[] = [];
      for await (const payload of ctx.signals(go)) if (seen.push(payload) === count) break;
      return seen;
    });
    const env = environment({ workflows: [all], cacheRuns });
    const run = await env.client.start(all, 100);
    const sent = Array.from({ length: 100 }, (_, at) => `${at}`);
    await Promise.all(sent.map((payload) => run.signal(go, payload)));
    await env.runUntilIdle();
    expect(await run.result()).toEqual(sent);
  });

  it("a wait times out by itself, at its time, and a signal that comes later is kept (I10)", async () => {
    const patient = workflow({ name: "patient" }, async (ctx) => {
      const first = await ctx.waitFor(go, { timeout: "1h" }).catch((error: { code: string }) => error.code);
      return [first, ctx.now().getTime(), await ctx.waitFor(go)];
    });
    const env = environment({ workflows: [patient], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(patient, undefined);
    await env.skip("59m");
    expect((await run.history()).at(-1)?.type).toBe("SIGNAL_AWAITED");
    await env.skip("2m");
    await run.signal(go, "late");
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["timed-out", startedAt + 3_600_000, "late"]);
  });

  it("a wait that got its signal does not time out", async () => {
    const patient = workflow({ name: "patient" }, async (ctx) => {
      const got = await ctx.waitFor(go, { timeout: "1h" });
      await ctx.sleep("2h");
      return got;
    });
    const env = environment({ workflows: [patient], cacheRuns });
    const run = await env.client.start(patient, undefined);
    await run.signal(go, "in time");
    await env.skip("3h");
    expect(await run.result()).toBe("in time");
    expect((await run.history()).filter(({ type }) => type === "TIMER_FIRED")).toHaveLength(1);
  });

  it("a signal and a timer that fell due while nobody was there come in the order of time, the signal first at the same moment", async () => {
    const race = workflow({ name: "race" }, (ctx) =>
      Promise.race([ctx.waitFor(go), ctx.sleep("1h").then(() => "timer")]),
    );
    for (const [after, winner] of [
      [3_599_999, "signal"],
      [3_600_000, "signal"],
      [3_600_001, "timer"],
    ] as const) {
      const env = environment({ workflows: [race], cacheRuns });
      const run = await env.client.start(race, undefined);
      await env.runUntilIdle();
      env.clock.advance(after);
      await run.signal(go, "signal");
      env.clock.advance(10_000);
      await env.runUntilIdle();
      expect(await run.result()).toBe(winner);
    }
  });

  it("reach a run that is held by an activity, while it is held", async () => {
    const both = workflow({ name: "both" }, async (ctx) => {
      const hanging = ctx.run("hang", () => new Promise<void>(() => {}), { timeout: "5m", retry: 1 });
      const got = await ctx.waitFor(go);
      const at = ctx.now().getTime();
      await hanging.catch(() => {});
      return [got, at];
    });
    const env = environment({ workflows: [both], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(both, undefined);
    await env.skip("1m");
    await run.signal(go, "hello");
    await env.skip("1s");
    expect((await run.history()).at(-1)?.type).toBe("SIGNAL_RECEIVED");
    await env.skip("5m");
    expect(await run.result()).toEqual(["hello", startedAt + 60_000]);
  });

  it("are checked by their schema where they are sent, and nothing of a refused one is stored", async () => {
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "not a number", path: ["n"] }] },
        types: undefined as unknown as { input: number; output: number },
      },
    };
    const doubled = signal("doubled", schema);
    const definition = workflow({ name: "definition" }, (ctx) => ctx.waitFor(doubled));
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await expect(run.signal(doubled, "x" as never)).rejects.toMatchObject({
      code: "invalid-input",
      details: { issues: [{ path: "$.n", message: "not a number" }] },
    });
    await expect(run.signal(go, Symbol("x") as never)).rejects.toMatchObject({ code: "not-serializable" });
    expect((await env.storage.getRun(run.runId))?.task?.unread).toBe(0);
    await run.signal(doubled, 21);
    await env.runUntilIdle();
    expect(await run.result()).toBe(42);
  });

  describe("to other runs", () => {
    it("are accepted, or refused as closed or unknown, each once", async () => {
      const sender = workflow({ name: "sender" }, async (ctx, to: readonly string[]) => {
        const outcomes: string[] = [];
        for (const runId of to)
          outcomes.push(
            await ctx.signal(runId, go, "hi").then(
              () => "accepted",
              (error: { code: string }) => error.code,
            ),
          );
        return outcomes;
      });
      const env = environment({ workflows: [wait, sender], cacheRuns });
      const closed = await env.client.start(wait, undefined, { id: "closed" });
      await closed.signal(go, "x");
      await env.runUntilIdle();
      const open = await env.client.start(wait, undefined, { id: "open" });
      const run = await env.client.start(sender, ["open", "closed", "unknown"]);
      await env.runUntilIdle();
      expect(await run.result()).toEqual(["accepted", "run-closed", "run-not-found"]);
      expect(await open.result()).toBe("hi");
    });

    it("to itself arrive", async () => {
      const echo = workflow({ name: "echo" }, async (ctx) => {
        await ctx.signal(ctx.runId, go, "me");
        return ctx.waitFor(go);
      });
      const env = environment({ workflows: [echo], cacheRuns });
      const run = await env.client.start(echo, undefined);
      await env.runUntilIdle();
      expect(await run.result()).toBe("me");
    });

    it("with an id that is none are refused in the code, and the worker lives on", async () => {
      const sender = workflow({ name: "sender" }, (ctx, to: string) =>
        ctx.signal(to, go, "hi").catch((error: { code: string }) => error.code),
      );
      const env = environment({ workflows: [sender], cacheRuns });
      const runs = await Promise.all(["", "x".repeat(256), 7 as never].map((to) => env.client.start(sender, to)));
      await env.runUntilIdle();
      for (const run of runs) expect(await run.result()).toBe("invalid-argument");
    });
  });

  it("reach a run that is held with the answer to its next commit, without any time passing", async () => {
    const clock = virtualClock();
    const released = gate();
    const both = workflow({ name: "both" }, async (ctx) => {
      const slow = ctx.run("slow", () => released.passed);
      await ctx.run("quick", async () => {
        await env.client.handle(ctx.runId).signal(go, "hello");
      });
      const got = await ctx.waitFor(go);
      await slow;
      return got;
    });
    const env = environment({ workflows: [both], cacheRuns, clock, storage: memory({ clock }) });
    const run = await env.client.start(both, undefined);
    const working = env.runUntilIdle();
    await env.runtime.calm();
    expect((await run.history()).map(({ type }) => type)).toContain("SIGNAL_RECEIVED");
    released.open();
    await working;
    expect(await run.result()).toBe("hello");
  });

  describe("that come between the code's end and the end of the run", () => {
    /** A run that returns at once; before each of its first closing commits is applied, somebody sends it a signal. */
    async function closing(
      signals: number,
    ): Promise<{ readonly types: readonly string[]; readonly discarded: number; readonly sent: number }> {
      const clock = virtualClock();
      const store = memory({ clock });
      let sent = 0;
      const storage = intercepted(store, {
        commitTasks: async (call, [commits]) => {
          const isClosing = (commits as readonly WorkflowCommit[]).some(({ close }) => close !== undefined);
          if (isClosing && sent < signals) {
            await createClient({ storage: store }).handle("run-1").signal(go, `${sent++}`);
          }
          return call();
        },
      });
      const returns = workflow({ name: "returns" }, async () => "done");
      const env = environment({ workflows: [returns], cacheRuns, clock, storage });
      const run = await env.client.start(returns, undefined, { id: "run-1" });
      await env.runUntilIdle();
      expect(await run.result()).toBe("done");
      const { discardedMessages } = await env.client.stats();
      return { types: (await run.history()).map(({ type }) => type), discarded: discardedMessages, sent };
    }

    it.each([1, 2, 3])("are recorded before it: %i of them", async (signals) => {
      expect(await closing(signals)).toEqual({
        types: ["WORKFLOW_STARTED", ...Array<string>(signals).fill("SIGNAL_RECEIVED"), "WORKFLOW_COMPLETED"],
        discarded: 0,
        sent: signals,
      });
    });

    it("do not keep it open for ever: what comes again and again is counted as discarded", async () => {
      const { types, discarded, sent } = await closing(100);
      expect(types.filter((type) => type === "SIGNAL_RECEIVED")).toHaveLength(3);
      expect([sent, discarded]).toEqual([4, 1]);
    });
  });

  it("with the start: one run, and the signal", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    const options = { idempotencyKey: "k", signalId: "s" };
    const [first, second] = await Promise.all(
      [1, 2].map(() => env.client.signalWithStart(wait, undefined, go, "hi", options)),
    );
    await env.runUntilIdle();
    expect(first!.runId).toBe(second!.runId);
    expect(await first!.result()).toBe("hi");
    expect((await first!.history()).filter(({ type }) => type === "SIGNAL_RECEIVED")).toHaveLength(1);
  });

  it("with the start: a payload that is refused leaves no run behind", async () => {
    const env = environment({ workflows: [wait], cacheRuns });
    await expect(env.client.signalWithStart(wait, undefined, go, (() => {}) as never)).rejects.toMatchObject({
      code: "not-serializable",
    });
    expect((await env.client.list()).runs).toEqual([]);
  });
});
