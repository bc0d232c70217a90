import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { WorkflowCommit } from "../storage.ts";

const go = signal<string>("go");

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
      const small = { ...store.info, limits: { ...store.info.limits, eventsPerCommit: 8 } };
      const env = environment({
        workflows: [definition],
        clock,
        storage: intercepted(
          store,
          {
            commitTasks: async (call, [commits], nth) => {
              for (const commit of commits as readonly WorkflowCommit[])
                expect(commit.events.length).toBeLessThanOrEqual(8);
              if (nth !== faulted) return call();
              fired = true;
              return commits.map(() => ({ status: "lease-lost" }) as const);
            },
          },
          small,
        ),
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

describe("many large results at once", () => {
  it("are committed in parts that the storage takes", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    const limits = { ...store.info.limits, commitBytes: 400_000 };
    const fan = workflow({ name: "fan" }, async (ctx) => {
      const outputs = await Promise.all(
        Array.from({ length: 20 }, (_, n) => ctx.run(`large ${n}`, () => "x".repeat(90_000))),
      );
      return outputs.length;
    });
    const env = environment({
      workflows: [fan],
      clock,
      storage: intercepted(
        store,
        {
          commitTasks: async (call, [commits]) => {
            for (const { events } of commits as readonly WorkflowCommit[]) {
              expect(events.reduce((bytes, { data }) => bytes + data.length, 0)).toBeLessThan(limits.commitBytes);
            }
            return call();
          },
        },
        { ...store.info, limits },
      ),
    });
    const run = await env.client.start(fan, undefined);
    await env.skip("1s");
    expect(await run.result()).toBe(20);
  });
});
