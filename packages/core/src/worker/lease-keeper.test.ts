import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { claimOne } from "../../test/port.ts";
import { intercepted } from "../../test/intercepted.ts";
import { running } from "../../test/workers.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { createWorker } from "./worker.ts";

const go = signal<string>("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));
const hang = workflow({ name: "hang" }, (ctx) => ctx.run("hang", () => new Promise<string>(() => {})));

describe("leases", () => {
  it("of an activity that takes long are renewed at a third, and the run stays its own (I8)", async () => {
    const renewals: number[] = [];
    const clock = virtualClock();
    const storage = intercepted(memory({ clock }), {
      renewLeases: (call) => {
        renewals.push(clock.now());
        return call();
      },
    });
    const env = environment({ workflows: [hang], storage, clock, lease: "30s" });
    const run = await env.client.start(hang, undefined);
    await env.skip("2m");
    expect(renewals.length).toBeGreaterThanOrEqual(11);
    expect(renewals.length).toBeLessThanOrEqual(15);
    const thief = createWorker({ storage: env.storage, runtime: env.runtime, workflows: [hang] });
    expect(await thief.runOnce()).toBe(0);
    expect(await run.status()).toBe("running");
    await run.terminate();
  });

  it("of a worker that died are taken over within a second by one that is idle (I8)", async () => {
    const env = environment({ workflows: [wait] });
    const run = await env.client.start(wait, undefined);
    await claimOne(env.storage, { workerId: "dead", handlers: { workflows: ["wait"], activities: [] } });
    running(env, { workflows: [wait] });
    await env.runtime.calm();
    env.clock.advance(9_999);
    await env.runtime.calm();
    expect((await run.history()).length).toBe(1);
    env.clock.advance(1_000);
    await env.runtime.calm();
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "SIGNAL_AWAITED"]);
  });

  it("are never more than the storage renews in one call", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    const limits = { ...store.info.limits, batch: 4 };
    const env = environment({
      workflows: [hang],
      clock,
      storage: intercepted(
        store,
        {
          claimTasks: async (call, [{ holding }]) => {
            expect(holding.length).toBeLessThanOrEqual(limits.batch);
            return call();
          },
          renewLeases: async (call, [claims]) => {
            expect(claims.length).toBeLessThanOrEqual(limits.batch);
            return call();
          },
        },
        { ...store.info, limits },
      ),
    });
    const runs = await Promise.all(Array.from({ length: 10 }, () => env.client.start(hang, undefined)));
    await env.skip("2m");
    const statuses = await Promise.all(runs.map((run) => run.status()));
    expect(statuses.toSorted()).toEqual([...Array<string>(6).fill("pending"), ...Array<string>(4).fill("running")]);
    for (const run of runs) await run.terminate();
    await env.skip("1m");
    expect(new Set(await Promise.all(runs.map((run) => run.status())))).toEqual(new Set(["cancelled"]));
    expect(env.logs).toEqual([]);
  });

  it("are in danger when the event loop is blocked, and the worker says so", async () => {
    const env = environment({ workflows: [hang], lease: "10s" });
    const run = await env.client.start(hang, undefined);
    await env.skip("1s");
    expect(env.logs).toEqual([]);
    env.clock.advance(4_000);
    expect(env.logs).toEqual([
      {
        level: "warn",
        message: expect.stringContaining("The event loop was blocked for 3950 ms") as unknown,
        fields: { code: "event-loop-blocked", blockedMs: 3_950 },
      },
    ]);
    await env.skip("1s");
    await run.terminate();
  });
});
