import { describe, expect, it } from "vitest";
import { CACHES, environment, faulty } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { createClient } from "../client/client.ts";
import type { RunHandle } from "../client/handle.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { WorkflowCommit } from "../storage.ts";

const go = signal<number>("go");

describe.each(CACHES)("the moment of continuing as new, with %i runs kept in memory", (cacheRuns) => {
  const COUNT = 6;
  const collect = workflow(
    { name: "collect", state: { initial: (got: readonly number[]) => ({ got: got.length }) } },
    async (ctx, before: readonly number[]): Promise<readonly number[]> => {
      const got = [...before];
      for (let n = 0; n <= got.length % 2; n++) {
        got.push(await ctx.waitFor(go));
        ctx.state.set("got", got.length);
        if (got.length === COUNT) return got;
        await ctx.run("note", () => null);
      }
      return ctx.continueAsNew(got);
    },
  );

  it("a signal at any moment is there for somebody: in order, once, though nobody waits (I11, I18)", async () => {
    for (const place of ["before", "after"] as const) {
      for (let moment = 1, came = true; came; moment++) {
        came = false;
        let calls = 0;
        let next = 0;
        const env = environment({
          workflows: [collect],
          cacheRuns,
          ...(() => {
            const clock = virtualClock();
            const store = memory({ clock });
            const around = async <T>(call: () => Promise<T>): Promise<T> => {
              const isNow = ++calls === moment;
              came ||= isNow;
              const send = async (): Promise<void> => {
                if (!isNow) return;
                const { items } = await store.listRuns({ limit: 1 });
                for (let n = 0; n < 3; n++) {
                  const data = JSON.stringify({ kind: "signal", signal: "go", payload: next++ });
                  await store.deliver([{ runId: items[0]!.runId, dedupeId: `burst-${n}`, external: true, data }]);
                }
              };
              if (place === "before") await send();
              const answer = await call();
              if (place === "after") await send();
              return answer;
            };
            return { clock, storage: intercepted(store, { claimTasks: around, commitTasks: around }) };
          })(),
        });
        const run = await env.client.start(collect, []);
        await run.signal(go, next++);
        await env.runUntilIdle();
        while (next < COUNT) {
          await run.signal(go, next++);
          await env.skip("1s");
        }
        await env.skip("1m");
        expect(await run.result(), `${place} call ${moment}`).toEqual([0, 1, 2, 3, 4, 5]);
        await env.close();
      }
    }
  });

  it("a crash before or after any commit changes nothing (I3, I14, I18)", async () => {
    for (const place of ["before", "after"] as const) {
      for (let crash = 1, crashed = true; crashed; crash++) {
        crashed = false;
        const env = faulty(
          {
            commitTasks: async (call, [commits], nth) => {
              if (nth === crash) crashed = true;
              if (nth !== crash || place === "after") await call();
              if (nth !== crash) return call();
              return commits.map(() => ({ status: "lease-lost" }) as const);
            },
          },
          { workflows: [collect], cacheRuns },
        );
        const run = await env.client.start(collect, []);
        for (let n = 0; n < COUNT; n++) {
          await run.signal(go, n);
          if (n % 3 === 0) await env.skip("1s");
        }
        await env.skip("1m");
        expect(await run.result(), `${place} commit ${crash}`).toEqual([0, 1, 2, 3, 4, 5]);
        expect(await run.state()).toEqual({ got: COUNT });
      }
    }
  });

  it("an unavailable storage at any call of its changes nothing", async () => {
    for (const verb of ["claimTasks", "commitTasks", "readEvents"] as const) {
      for (let faulted = 1, fired = true; fired; faulted++) {
        fired = false;
        const fail = async (call: () => Promise<never>, _: unknown, nth: number): Promise<never> => {
          if (nth !== faulted) return call();
          fired = true;
          throw unavailable();
        };
        let playing = false;
        const env = faulty(
          {
            [verb]: (call: never, args: never, nth: never) =>
              playing ? fail(call, args, nth) : (call as () => never)(),
          },
          { workflows: [collect], cacheRuns },
        );
        playing = true;
        const run = await env.client.start(collect, []);
        for (let n = 0; n < COUNT; n++) {
          await run.signal(go, n);
          await env.skip("1s");
        }
        await env.skip("1m");
        playing = false;
        expect(await run.result(), `${verb} ${faulted}`).toEqual([0, 1, 2, 3, 4, 5]);
      }
    }
  });

  it.each(["cancel", "terminate", "time out", "signal"] as const)(
    "what comes while its commit is on the way (%s) finds the new generation",
    async (what) => {
      const entered = gate();
      const leave = gate();
      const clock = virtualClock();
      const store = memory({ clock });
      const second = workflow({ name: "second", timeout: "1h" }, async (ctx, n: number) => {
        if (n === 0) {
          await ctx.sleep("1m");
          return ctx.continueAsNew(1);
        }
        return ctx.waitFor(go);
      });
      const storage = intercepted(store, {
        commitTasks: async (call, [commits]) => {
          const isTurn = commits.some((commit) => (commit as WorkflowCommit).run?.baseSeq !== undefined);
          if (isTurn) {
            entered.open();
            await leave.passed;
          }
          return call();
        },
      });
      const env = environment({ workflows: [second], clock, storage, cacheRuns });
      const run = await env.client.start(second, 0);
      await env.runUntilIdle();
      clock.advance(60_000);
      const working = env.runUntilIdle();
      await entered.passed;
      if (what === "cancel") await run.cancel({ reason: "whim" });
      if (what === "terminate") await run.terminate({ reason: "whim" });
      if (what === "time out") clock.advance(3_600_000);
      if (what === "signal") await run.signal(go, 5);
      leave.open();
      await working;
      await env.skip("1m");
      if (what === "signal") expect(await run.result()).toBe(5);
      else if (what === "time out")
        await expect(run.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
      else await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "whim" });
    },
  );
});

describe("a generation that waits for an intent before it ends", () => {
  /** Its code has continued as new; its message is on the way for as long as the test likes. */
  async function between(
    what: (run: RunHandle) => Promise<void>,
  ): Promise<{ readonly outcome: Promise<unknown>; readonly types: readonly string[] }> {
    const sending = gate();
    const sent = gate();
    const clock = virtualClock();
    const store = memory({ clock });
    const storage = intercepted(store, {
      deliver: async (call) => {
        sending.open();
        await sent.passed;
        return call();
      },
    });
    const last = workflow({ name: "last" }, async (ctx, n: number): Promise<unknown> => {
      if (n === 1) return [ctx.cancelled, await ctx.waitFor(go)];
      void Promise.race([ctx.waitFor(go), ctx.sleep("1h")]);
      void ctx.signal("other", go, 1).catch(() => {});
      return ctx.continueAsNew(1);
    });
    const env = environment({ workflows: [last], clock, storage, lease: "15s" });
    const run = await env.client.start(last, 0);
    const working = env.runUntilIdle();
    await sending.passed;
    // The storage tells its holder with the next renewal.
    await what(createClient({ storage: store, runtime: env.runtime }).handle(run.runId));
    clock.advance(6_000);
    await env.runtime.calm();
    sent.open();
    await working;
    const outcome = run.result({ timeout: "1s" });
    outcome.catch(() => {});
    await env.skip("2s");
    return { outcome, types: (await run.history()).map(({ type }) => type) };
  }

  it("a signal is for the next one, though a branch of this one had waited for it (I18)", async () => {
    const { outcome } = await between((run) => run.signal(go, 3));
    expect(await outcome).toEqual([false, 3]);
  });

  it("a cancel is recorded, and the next one has it (I17)", async () => {
    const { outcome, types } = await between((run) => run.cancel({ reason: "whim" }));
    await expect(outcome).rejects.toMatchObject({ code: "run-cancelled" });
    expect(types).toContain("WORKFLOW_CONTINUED_AS_NEW");
  });

  it("a termination ends the run", async () => {
    const { outcome, types } = await between((run) => run.terminate());
    await expect(outcome).rejects.toMatchObject({ code: "run-cancelled" });
    expect(types).not.toContain("WORKFLOW_CONTINUED_AS_NEW");
  });
});
