import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { intercepted, unavailable } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";

const go = signal<string>("go");

describe.each(CACHES)("children, with %i runs kept in memory", (cacheRuns) => {
  const wait = workflow(
    { name: "wait", version: "2", state: { initial: (name: string) => ({ name }) } },
    async (ctx, name: string) => {
      const got = await ctx.waitFor(go);
      return `${name} got ${got}`;
    },
  );
  const fail = workflow({ name: "fail" }, async (_, message: string) => {
    throw new RangeError(message);
  });

  it("one that is awaited gives its result, and may wait for a signal meanwhile", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(wait, "kid", { id: "kid-1" });
      return [child.runId, await child];
    });
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const run = await env.client.start(parent, undefined, { priority: 3 });
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      waitingFor: [{ what: "child", workflow: "wait", runId: "kid-1" }],
    });
    const kid = env.client.handle("kid-1", wait);
    expect(await kid.describe()).toMatchObject({
      workflow: "wait",
      version: "2",
      parentRunId: run.runId,
      priority: 3,
      queue: "default",
    });
    expect(await kid.state()).toEqual({ name: "kid" });
    await kid.signal(go, "it");
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["kid-1", "kid got it"]);
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "CHILD_SCHEDULED",
      "CHILD_STARTED",
      "CHILD_COMPLETED",
      "WORKFLOW_COMPLETED",
    ]);
    expect((await env.client.list({ parentRunId: run.runId })).runs.map(({ runId }) => runId)).toEqual(["kid-1"]);
  });

  it("ids are derived, and differ, when none is given", async () => {
    const quick = workflow({ name: "quick" }, async (_, n: number) => n);
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const children = [1, 2].map((n) => ctx.child(quick, n));
      return [new Set(children.map(({ runId }) => runId)).size, await Promise.all(children)];
    });
    const env = environment({ workflows: [parent, quick], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([2, [1, 2]]);
  });

  it("a large output comes through whole", async () => {
    const large = workflow({ name: "large" }, async () => "x".repeat(500_000));
    const parent = workflow({ name: "parent" }, async (ctx) => (await ctx.child(large, undefined)).length);
    const env = environment({ workflows: [parent, large], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe(500_000);
  });

  it("a failure is typed: workflow, run id, cause", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      try {
        await ctx.child(fail, "boom", { id: "kid" });
      } catch (error) {
        const {
          name,
          workflow: failed,
          runId,
          cause,
        } = error as { name: string; workflow: string; runId: string; cause: Error };
        return [name, failed, runId, cause.name, cause.message];
      }
      return null;
    });
    const env = environment({ workflows: [parent, fail], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["ChildFailedError", "fail", "kid", "RangeError", "boom"]);
  });

  it("one that is cancelled or terminated by others fails with that cause", async () => {
    const parent = workflow({ name: "parent" }, (ctx) =>
      Promise.all(
        ["a", "b"].map((id) =>
          ctx
            .child(wait, id, { id })
            .then(null, (error: { cause: { code: string; message: string } }) => [
              error.cause.code,
              error.cause.message,
            ]),
        ),
      ),
    );
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    await env.client.handle("a").cancel({ reason: "asked" });
    await env.client.handle("b").terminate({ reason: "killed" });
    await env.runUntilIdle();
    expect(await run.result()).toEqual([
      ["cancelled", "asked"],
      ["cancelled", "killed"],
    ]);
  });

  it("an id that a stranger has is a failure, and the stranger is left alone", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) =>
      ctx.child(wait, "kid", { id: "taken" }).then(null, (error: { cause: { code: string } }) => error.cause.code),
    );
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const stranger = await env.client.start(wait, "stranger", { id: "taken" });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe("run-exists");
    await stranger.signal(go, "its own");
    await env.runUntilIdle();
    expect(await stranger.result()).toBe("stranger got its own");
  });

  it("a stranger with the child's id gets none of the messages to the child", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(wait, "kid", { id: "taken" });
      const [sent] = await Promise.allSettled([child.signal(go, "not for you"), child.cancel()]);
      return sent.status;
    });
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const stranger = await env.client.start(wait, "stranger", { id: "taken" });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe("rejected");
    expect(await stranger.status()).toBe("suspended");
    expect((await stranger.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "SIGNAL_AWAITED"]);
  });

  it("its own id for a child is a failure", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) =>
      ctx.child(wait, "kid", { id: ctx.runId }).then(null, (error: { cause: { code: string } }) => error.cause.code),
    );
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe("run-exists");
  });

  it("are signalled and cancelled through their handle, also at once", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const first = ctx.child(wait, "first");
      await first.signal(go, "hello");
      const second = ctx.child(wait, "second");
      await second.cancel({ reason: "not needed" });
      return [await first, await second.then(null, (error: { cause: Error }) => error.cause.message)];
    });
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["first got hello", "not needed"]);
  });

  it("a signal to a child waits for the child to be created", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(wait, "kid");
      await child.signal(go, "hello");
      return child;
    });
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const { createRuns } = env.storage;
    const run = await env.client.start(parent, undefined);
    Object.assign(env.storage, {
      createRuns: async (...args: Parameters<typeof createRuns>) => {
        await env.runtime.calm();
        return createRuns(...args);
      },
    });
    await env.runUntilIdle();
    expect(await run.result()).toBe("kid got hello");
  });

  it("an input that the schema refuses, or that cannot be stored, is refused in the code", async () => {
    const checked = workflow(
      {
        name: "checked",
        input: {
          "~standard": {
            version: 1,
            vendor: "test",
            validate: (value: unknown) =>
              typeof value === "number" ? { value: value + 1 } : { issues: [{ message: "no number" }] },
            types: undefined as unknown as { input: number; output: number },
          },
        },
      },
      async (_, n) => n,
    );
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const outcomes: unknown[] = [];
      const attempts: (() => PromiseLike<unknown>)[] = [
        () => ctx.child(checked, "x" as never),
        () => ctx.child(checked, (() => {}) as never),
        () => ctx.child(wait, Symbol("x") as never),
        () => ctx.child(wait, "x".repeat(2_000_000)),
        () => ctx.child(wait, "x", { id: "" }),
        () => ctx.child(wait, "x", { id: "x".repeat(256) }),
        () => ctx.child(wait, "x", { queue: "" }),
        () => ctx.child(wait, "x", { parentClose: "whatever" as never }),
        () => ctx.child(null as never, 1),
        () => ctx.child(checked, 1),
      ];
      for (const attempt of attempts) {
        try {
          outcomes.push(await attempt());
        } catch (error) {
          outcomes.push((error as { code: string }).code);
        }
      }
      return outcomes;
    });
    const env = environment({ workflows: [parent, checked, wait], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([
      "invalid-input",
      "invalid-input",
      "not-serializable",
      "payload-too-large",
      "invalid-argument",
      "invalid-argument",
      "invalid-argument",
      "invalid-argument",
      "unknown-workflow",
      2,
    ]);
    expect((await env.client.list({ parentRunId: run.runId })).runs).toHaveLength(1);
  });

  it("a hundred at once", async () => {
    const quick = workflow({ name: "quick" }, async (ctx, n: number) => {
      await ctx.run("work", () => null);
      return n;
    });
    const parent = workflow({ name: "parent" }, (ctx) =>
      Promise.all(Array.from({ length: 100 }, (_, n) => ctx.child(quick, n))),
    );
    const env = environment({ workflows: [parent, quick], cacheRuns, replays: false });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
});

describe("a storage that has lost its last moments", () => {
  it("may have a child that told its end to a parent who has forgotten it: the parent asks again, and hears of it (I9)", async () => {
    const kid = workflow({ name: "kid" }, async () => "grown");
    const parent = workflow({ name: "parent" }, (ctx) => ctx.child(kid, undefined, { id: "kid-1" }));
    const clock = virtualClock();
    const store = memory({ clock });
    let isNewsLost = false;
    const storage = intercepted(store, {
      async createRuns(call, [runs]) {
        const answers = await call();
        if (isNewsLost || !runs.some(({ runId }) => runId === "kid-1")) return answers;
        while (!isNewsLost) await setImmediate();
        throw unavailable();
      },
      async deliver(call, [messages]) {
        if (isNewsLost || !messages.some(({ dedupeId }) => dedupeId.startsWith("child-closed:"))) return call();
        isNewsLost = true;
        return messages.map(() => ({ status: "accepted" }) as const);
      },
    });
    const env = environment({ workflows: [parent, kid], clock, storage });
    const run = await env.client.start(parent, undefined);
    await env.skip("5m");
    expect(isNewsLost).toBe(true);
    expect(await run.result()).toBe("grown");
  });
});
