import { describe, expect, it } from "vitest";
import { CACHES, environment, type TestedEnvironment } from "../../test/environment.ts";
import { type Gate, gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { createClient } from "../client/client.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { StorageError } from "../errors/index.ts";
import { memory, virtualClock } from "../memory.ts";
import type { StorageBackend } from "../storage.ts";
import { createWorker } from "./worker.ts";

const go = signal<number>("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

/** Ends that repeat their effects for ever would grow the history for ever. */
const TOO_MANY_COMMITS = 50;

interface Held {
  readonly env: TestedEnvironment;
  readonly store: StorageBackend;
  /** Signals to "other" pass when this is open. */
  readonly mail: Gate;
}

/** A worker whose signals to run "other" are under way until the test lets them arrive. */
function held(workflows: readonly AnyWorkflow[], cacheRuns: number): Held {
  const clock = virtualClock();
  const store = memory({ clock });
  const mail = gate();
  const storage = intercepted(store, {
    commitTasks: (call, _, nth) =>
      nth > TOO_MANY_COMMITS ? Promise.reject(new StorageError("corrupt", "Too many commits.")) : call(),
    deliver: async (call, [messages]) => {
      if (messages.some(({ runId }) => runId === "other")) await mail.passed;
      return call();
    },
  });
  return { env: environment({ workflows: [...workflows, wait], cacheRuns, storage, clock }), store, mail };
}

async function typesOf(env: TestedEnvironment, runId: string): Promise<readonly string[]> {
  return (await env.client.handle(runId).history()).map(({ type }) => type);
}

describe.each(CACHES)("what is still open when the code ends, with %i runs kept in memory", (cacheRuns) => {
  it("a signal to another run gets one outcome, then the run its end (I5, I9)", async () => {
    const definition = workflow({ name: "definition" }, async (ctx) => {
      void ctx.signal("other", go, 1);
      return 1;
    });
    for (const status of ["accepted", "unknown"]) {
      const { env, mail } = held([definition], cacheRuns);
      mail.open();
      if (status === "accepted") await env.client.start(wait, undefined, { id: "other" });
      const run = await env.client.start(definition, undefined);
      await env.skip("1s");
      expect(await run.result()).toBe(1);
      const history = await run.history();
      expect(history.map(({ type }) => type)).toEqual([
        "WORKFLOW_STARTED",
        "SIGNAL_SENT",
        "SIGNAL_DELIVERED",
        "WORKFLOW_COMPLETED",
      ]);
      expect(history[2]).toMatchObject({ command: 1, data: { status } });
      if (status === "accepted") expect(await env.client.handle("other").result()).toBe(1);
      await env.worker.stop({ grace: 0 });
    }
  });

  it("a child whose id is taken gets its failure, then the run its end (I5, I9)", async () => {
    const definition = workflow({ name: "definition" }, async (ctx) => {
      void ctx.child(wait, undefined, { id: "taken" });
      return 2;
    });
    const { env } = held([definition], cacheRuns);
    await env.client.start(wait, undefined, { id: "taken" });
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    expect(await run.result()).toBe(2);
    expect(await typesOf(env, run.runId)).toEqual([
      "WORKFLOW_STARTED",
      "CHILD_SCHEDULED",
      "CHILD_FAILED",
      "WORKFLOW_COMPLETED",
    ]);
    expect(await env.client.handle("taken").status()).toBe("suspended");
    await env.worker.stop({ grace: 0 });
  });

  it("a signal to a child that is left behind arrives after its creation, then the run ends (I5, I9)", async () => {
    const definition = workflow({ name: "definition" }, async (ctx) => {
      const child = ctx.child(wait, undefined, { parentClose: "abandon" });
      void child.signal(go, 7);
      return child.runId;
    });
    const { env } = held([definition], cacheRuns);
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    const childId = (await run.result()) as string;
    expect(await env.client.handle(childId).result()).toBe(7);
    expect(await typesOf(env, run.runId)).toEqual([
      "WORKFLOW_STARTED",
      "CHILD_SCHEDULED",
      "SIGNAL_SENT",
      "CHILD_STARTED",
      "SIGNAL_DELIVERED",
      "WORKFLOW_COMPLETED",
    ]);
    await env.worker.stop({ grace: 0 });
  });

  it("a signal that is under way when the run is cancelled gets its outcome before the end (I5, I9)", async () => {
    const definition = workflow({ name: "definition" }, (ctx) => ctx.signal("other", go, 1));
    const { env, store, mail } = held([definition], cacheRuns);
    await env.client.start(wait, undefined, { id: "other" });
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    // Messages of the worker's own process would wait behind the one that is under way.
    const outside = createClient({ storage: store, runtime: env.runtime });
    await outside.handle(run.runId).cancel({ reason: "enough" });
    await env.skip("10s");
    expect((await store.getRun(run.runId))?.status).toBe("open");
    mail.open();
    await env.skip("1s");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    expect(await typesOf(env, run.runId)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_SENT",
      "CANCEL_REQUESTED",
      "SIGNAL_DELIVERED",
      "WORKFLOW_CANCELLED",
    ]);
    await env.worker.stop({ grace: 0 });
  });

  it("the loser of a race gets its outcome before the end (I5, I9)", async () => {
    const definition = workflow({ name: "definition" }, (ctx) =>
      Promise.race([ctx.signal("other", go, 1), ctx.run("quick", () => "won")]),
    );
    const { env, mail } = held([definition], cacheRuns);
    await env.client.start(wait, undefined, { id: "other" });
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    expect(await run.status()).toBe("running");
    mail.open();
    await env.skip("1s");
    expect(await run.result()).toBe("won");
    expect(await typesOf(env, run.runId)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_SENT",
      "ACTIVITY_COMPLETED",
      "SIGNAL_DELIVERED",
      "WORKFLOW_COMPLETED",
    ]);
    await env.worker.stop({ grace: 0 });
  });
});

describe("a termination that was acknowledged", () => {
  it("stands although the worker that held the run dies before it could close it (I4)", async () => {
    const definition = workflow({ name: "definition" }, async (ctx) => {
      await ctx.signal("other", go, 1);
      await ctx.waitFor(go);
      return "went on";
    });
    const clock = virtualClock();
    const store = memory({ clock });
    const mail = gate();
    let isDead = false;
    const storage = intercepted(store, {
      deliver: (call) => mail.passed.then(call),
      renewLeases: (call) => (isDead ? Promise.reject(unavailable()) : call()),
      claimTasks: (call) => (isDead ? Promise.reject(unavailable()) : call()),
    });
    const env = environment({ workflows: [definition], storage, clock });
    const run = await env.client.start(definition, undefined);
    await env.skip("1s");
    const outside = createClient({ storage: store, runtime: env.runtime }).handle(run.runId);
    // The signal has the holder commit while the termination waits for what is open.
    await outside.signal(go, 5);
    await outside.terminate({ reason: "enough" });
    await env.skip("10s");
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_SENT",
      "SIGNAL_RECEIVED",
    ]);
    isDead = true;
    await env.skip("20s");
    const next = createWorker({ storage: store, runtime: env.runtime, workflows: [definition, wait] });
    await next.runUntilIdle();
    await expect(outside.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    const history = await run.history();
    expect(history.map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_SENT",
      "SIGNAL_RECEIVED",
      "SIGNAL_DELIVERED",
      "WORKFLOW_CANCELLED",
    ]);
    expect(history.at(-1)).toMatchObject({ data: { terminated: true } });
    mail.open();
    await env.skip("1s");
    expect(await run.history()).toHaveLength(5);
  });
});

it.each(CACHES)(
  "code that has ended is not woken by what comes after, with %i runs kept in memory",
  async (cacheRuns) => {
    const stop = signal("stop");
    const woken: number[] = [];
    const listening = workflow({ name: "listening", state: { initial: { n: 0 } } }, async (ctx, how: string) => {
      if (ctx.info.generation > 1) return "second";
      const listen = async (): Promise<void> => {
        for (;;) {
          const n = await ctx.waitFor(go);
          woken.push(n);
          // Throws when the run has ended, where nobody catches it: that would be the end of the process.
          ctx.state.set("n", n);
        }
      };
      void listen();
      await ctx.waitFor(stop);
      return how === "continue" ? ctx.continueAsNew(how) : how;
    });
    const env = environment({ workflows: [listening, wait], cacheRuns });
    for (const how of ["complete", "continue"]) {
      const run = await env.client.start(listening, how);
      await env.runUntilIdle();
      woken.length = 0;
      await run.signal(stop, undefined);
      for (const n of [1, 2]) await run.signal(go, n);
      await env.runUntilIdle();
      expect(await run.result()).toBe(how === "continue" ? "second" : how);
      expect(woken.filter((n) => n > 0)).toEqual([]);
      expect((await typesOf(env, run.runId)).filter((type) => type === "SIGNAL_RECEIVED")).toHaveLength(3);
    }
  },
);
