import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { type Intercept, intercepted, unavailable } from "../../test/intercepted.ts";
import { claimById, commit, workflowCommit } from "../../test/port.ts";
import { types } from "../../test/types.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { forkedPrefix } from "../engine/forked-prefix.ts";
import { workflowTaskId } from "../model/ids.ts";
import { type TestEnvironmentOptions } from "../testing.ts";

const go = signal<string>("go");

describe.each(CACHES)("the copy of a long history, with %i runs kept in memory", (cacheRuns) => {
  const kid = workflow({ name: "kid" }, async (ctx) => {
    const got = await ctx.waitFor(go);
    await ctx.sleep("5h");
    return got;
  });
  const sink = workflow({ name: "sink" }, async (ctx) => {
    const got: string[] = [];
    for await (const text of ctx.signals(go)) {
      got.push(text);
      if (text === "end") break;
    }
    return got;
  });
  const long = workflow({ name: "long", state: { initial: { n: 0 } } }, async (ctx) => {
    await ctx.signal("sink", go, "once");
    const child = ctx.child(kid, undefined);
    await child.signal(go, "told");
    for (let n = 1; n <= 40; n++) ctx.state.set("n", n);
    ctx.attributes.set({ tier: "gold" });
    await ctx.waitFor(go);
    return [ctx.state.get("n"), await child];
  });

  /** A storage of small commits and pages, whose calls are intercepted once `begin` was called. */
  async function play(intercept: Intercept, options: Partial<TestEnvironmentOptions> = {}) {
    const clock = virtualClock();
    const store = memory({ clock });
    const { info } = store;
    let playing = false;
    const through = Object.fromEntries(
      Object.entries(intercept).map(([verb, fault]) => {
        let nth = 0;
        return [
          verb,
          (call: () => unknown, args: unknown) =>
            playing ? (fault as (...all: unknown[]) => unknown)(call, args, ++nth) : call(),
        ];
      }),
    ) as Intercept;
    const limits = { ...info.limits, eventsPerCommit: 8, eventPage: 10 };
    const storage = intercepted(store, through, { ...info, limits });
    const env = environment({ workflows: [long, kid, sink], cacheRuns, storage, clock, ...options });
    await env.client.start(sink, undefined, { id: "sink" });
    const run = await env.client.start(long, undefined, { id: "source" });
    await env.runUntilIdle();
    const fork = await run.fork({ id: "fork" });
    playing = true;
    await env.skip("10m");
    playing = false;
    return { env, store, run, fork };
  }

  it("takes as many commits as it needs, and any of them may be the last of its worker (I3, I7)", async () => {
    const clean = await play({});
    const expected = await types(clean.fork);
    expect(expected.filter((type) => type === "STATE_SET 5")).toHaveLength(1);
    expect(expected.length).toBeGreaterThan(45);
    for (const fault of ["refused", "unanswered", "killed"] as const) {
      for (let faulted = 1, fired = true; fired; faulted++) {
        fired = false;
        const { env, fork } = await play({
          commitTasks: async (call, [commits], nth) => {
            if (nth !== faulted) return call();
            fired = true;
            if (fault === "refused") return commits.map(() => ({ status: "lease-lost" }) as const);
            const answer = await call();
            if (fault === "unanswered") throw unavailable();
            // Applied, and whoever had the run is gone: the next holder goes on where it stopped.
            return answer.map(() => ({ status: "lease-lost" }) as const);
          },
        });
        expect(await types(fork), `${fault} ${faulted}`).toEqual(expected);
        expect(await fork.state()).toEqual({ n: 40 });
        expect((await fork.describe()).attributes).toEqual({ tier: "gold" });
        await env.client.handle("source").terminate();
        await fork.signal(go, "on");
        await env.client.handle("sink").signal(go, "end");
        await env.skip("5h");
        expect(await fork.result()).toEqual([40, "told"]);
        expect(await env.client.handle("sink").result()).toEqual(["once", "end"]);
      }
    }
  });

  it("that is not complete owes nobody anything when the run is terminated", async () => {
    const { env, store, run } = await play({});
    const [page] = await store.readEvents([{ runId: run.runId, after: 0 }]);
    const { storage } = env;
    const sourceNamed = { runId: run.runId, incarnation: run.incarnation! };
    for (let copied = 1; copied <= 8; copied++) {
      const fork = await run.fork();
      const { claim } = await claimById(storage, workflowTaskId(fork.runId, fork.incarnation!));
      const committed = await commit(
        storage,
        workflowCommit(claim, {
          events: forkedPrefix(page!.events, sourceNamed, {
            runId: fork.runId,
            incarnation: fork.incarnation!,
            attributes: {},
          }).events.slice(0, copied),
          next: { do: "block", reason: '{"code":"unreadable","message":"by hand"}', until: null },
        }),
      );
      expect(committed.status).toBe("ok");
      expect(await fork.describe()).toMatchObject({ waitingFor: [], forkedFrom: { runId: "source" } });
      await fork.terminate();
      expect((await types(fork)).slice(copied + 1)).toEqual(["WORKFLOW_CANCELLED"]);
    }
    await env.runUntilIdle();
    expect((await types(env.client.handle("sink"))).filter((type) => type === "SIGNAL_RECEIVED")).toHaveLength(1);
    expect((await env.client.list({ workflow: "kid" })).runs).toHaveLength(2);
  });

  it("that is not complete when the run is terminated leaves the source's children of earlier generations alone", async () => {
    const parent = workflow({ name: "parent" }, async (ctx, n: number): Promise<string> => {
      if (n > 0) return ctx.waitFor(go);
      void ctx.child(kid, undefined, { id: "the kid" });
      await ctx.sleep("1s");
      return ctx.continueAsNew(1);
    });
    const { env } = await play({}, { workflows: [parent, kid] });
    const run = await env.client.start(parent, 0);
    await env.skip("1m");
    const [page] = await env.storage.readEvents([{ runId: run.runId, after: 0 }]);
    const sourceNamed = { runId: run.runId, incarnation: run.incarnation! };
    for (let copied = 1; copied <= 5; copied++) {
      const fork = await run.fork();
      const forkNamed = { runId: fork.runId, incarnation: fork.incarnation!, attributes: {} };
      const { claim } = await claimById(env.storage, workflowTaskId(fork.runId, fork.incarnation!));
      await commit(
        env.storage,
        workflowCommit(claim, {
          events: forkedPrefix(page!.events, sourceNamed, forkNamed).events.slice(0, copied),
          next: { do: "block", reason: '{"code":"unreadable","message":"by hand"}', until: null },
        }),
      );
      await fork.terminate();
      await env.runUntilIdle();
      expect(await env.client.handle("the kid").status(), `${copied} copied`).toBe("suspended");
    }
  });
});
