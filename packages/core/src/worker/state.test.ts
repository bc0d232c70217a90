import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import type { UsageError } from "../errors/index.ts";
import type { Schema } from "../model/schema.ts";

interface Cart {
  readonly items: readonly string[];
  readonly total: number;
  readonly note?: string;
}

const go = signal("go");

describe.each(CACHES)("the state object, with %i runs kept in memory", (cacheRuns) => {
  it("is there from the start, and readable from outside after each commit", async () => {
    const shop = workflow(
      { name: "shop", state: { initial: (owner: string): Cart => ({ items: [owner], total: 0 }) } },
      async (ctx, _owner: string) => {
        ctx.state.set("total", 5);
        await ctx.waitFor(go);
        ctx.state.update(({ items, total }) => ({ items: [...items, "pen"], total: total + 1 }));
        await ctx.waitFor(go);
        ctx.state.batch((state) => {
          state.set("total", state.get("total") * 10);
          state.set("note", "gift");
          state.update(({ items }) => ({ items: items.toReversed() }));
        });
        await ctx.waitFor(go);
        return ctx.state.snapshot();
      },
    );
    const env = environment({ workflows: [shop], cacheRuns });
    const run = await env.client.start(shop, "ada");
    const states: unknown[] = [await run.state()];
    for (let step = 0; step < 3; step++) {
      await env.runUntilIdle();
      states.push(await run.state());
      await run.signal(go, undefined);
    }
    await env.runUntilIdle();
    expect(states).toEqual([
      { items: ["ada"], total: 0 },
      { items: ["ada"], total: 5 },
      { items: ["ada", "pen"], total: 6 },
      { items: ["pen", "ada"], total: 60, note: "gift" },
    ]);
    expect(await run.result()).toEqual(states.at(-1));
    const recorded = (await run.history()).filter(({ type }) => type.startsWith("STATE_"));
    expect(recorded.map(({ type, data }) => [type, data])).toEqual([
      ["STATE_SET", { key: "total", value: 5 }],
      ["STATE_UPDATE", { value: { items: ["ada", "pen"], total: 6 } }],
      ["STATE_UPDATE", { value: { total: 60, note: "gift", items: ["pen", "ada"] } }],
    ]);
  });

  it("gives and takes copies", async () => {
    const copies = workflow({ name: "copies", state: { initial: { list: [1] } } }, async (ctx) => {
      ctx.state.get().list.push(2);
      ctx.state.get("list").push(3);
      ctx.state.snapshot().list.push(4);
      const mine = [5];
      ctx.state.set("list", mine);
      mine.push(6);
      return ctx.state.get("list");
    });
    const env = environment({ workflows: [copies], cacheRuns });
    const run = await env.client.start(copies, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([5]);
    expect(await run.state()).toEqual({ list: [5] });
  });

  it("a batch that throws changes nothing", async () => {
    const batch = workflow({ name: "batch", state: { initial: { n: 1 } } }, async (ctx) => {
      try {
        ctx.state.batch((state) => {
          state.set("n", 2);
          throw new Error("no");
        });
      } catch {
        return ctx.state.get("n");
      }
      return null;
    });
    const env = environment({ workflows: [batch], cacheRuns });
    const run = await env.client.start(batch, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe(1);
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "WORKFLOW_COMPLETED"]);
  });

  it("refuses what cannot be stored, and stays as it was", async () => {
    const bad = workflow({ name: "bad", state: { initial: { value: 1 as unknown } } }, async (ctx) => {
      const codes: unknown[] = [];
      for (const value of [() => {}, Symbol("x"), "x".repeat(2_000_000)]) {
        try {
          ctx.state.set("value", value);
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
        try {
          ctx.state.batch((state) => state.set("value", value));
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      }
      return [codes, ctx.state.get("value")];
    });
    const env = environment({ workflows: [bad], cacheRuns });
    const run = await env.client.start(bad, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([
      [
        "not-serializable",
        "not-serializable",
        "not-serializable",
        "not-serializable",
        "payload-too-large",
        "payload-too-large",
      ],
      1,
    ]);
  });

  it("refuses the change that would make it too large as a whole", async () => {
    const grow = workflow({ name: "grow", state: { initial: {} as Record<string, string> } }, async (ctx) => {
      let parts = 0;
      try {
        for (; parts < 20; parts++) ctx.state.set(`part${parts}`, "x".repeat(100_000));
      } catch (error) {
        return [(error as { code: string }).code, parts, Object.keys(ctx.state.get()).length];
      }
      return parts;
    });
    const env = environment({ workflows: [grow], cacheRuns });
    const run = await env.client.start(grow, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["payload-too-large", 10, 10]);
    expect(Object.keys((await run.state())!)).toHaveLength(10);
  });

  it("keeps a key like __proto__ a key", async () => {
    const odd = workflow({ name: "odd", state: { initial: {} as Record<string, unknown> } }, async (ctx) => {
      ctx.state.set("__proto__", { polluted: true });
      ctx.state.set("constructor", 1);
      return [
        (ctx.state.get() as { polluted?: boolean }).polluted,
        Object.keys(ctx.state.get()),
        ctx.state.get("toString"),
      ];
    });
    const env = environment({ workflows: [odd], cacheRuns });
    const run = await env.client.start(odd, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([undefined, ["__proto__", "constructor"], undefined]);
    expect(Object.keys((await run.state())!)).toEqual(["__proto__", "constructor"]);
  });

  it("is readable from a run that was blocked right after it changed", async () => {
    const stuck = workflow({ name: "stuck", state: { initial: { n: 0 } } }, async (ctx) => {
      ctx.state.set("n", 1);
      ctx.attributes.set({ tier: "gold" });
      await new Promise(() => {});
    });
    const env = environment({ workflows: [stuck], cacheRuns, replays: false });
    const run = await env.client.start(stuck, undefined);
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      blocked: { code: "non-durable-await" },
      attributes: { tier: "gold" },
    });
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "STATE_SET", "ATTRIBUTES_SET"]);
    expect(await run.state()).toEqual({ n: 1 });
  });

  it("whose beginning throws in the worker fails the run, by that error", async () => {
    let calls = 0;
    const initial = (): { n: number } => {
      if (++calls > 1) throw new RangeError("no beginning");
      return { n: 1 };
    };
    const bad = workflow({ name: "bad", state: { initial } }, async () => "never");
    const env = environment({ workflows: [bad], cacheRuns, replays: false });
    const run = await env.client.start(bad, undefined);
    await env.skip("1s");
    await expect(run.result()).rejects.toMatchObject({ failure: { name: "RangeError", message: "no beginning" } });
  });

  it("is undefined for a workflow that has none", async () => {
    const none = workflow({ name: "none" }, async () => 1);
    const env = environment({ workflows: [none], cacheRuns });
    const run = await env.client.start(none, undefined);
    await env.runUntilIdle();
    expect(await run.state()).toBeUndefined();
  });
});

describe.each(CACHES)("search attributes, with %i runs kept in memory", (cacheRuns) => {
  it("of the start and of the code add up, and runs are listed by them", async () => {
    const tag = workflow({ name: "tag" }, async (ctx, n: number) => {
      ctx.attributes.set({ n, big: n > 1 });
      await ctx.sleep("1h");
      ctx.attributes.set({ done: "yes" });
    });
    const env = environment({ workflows: [tag], cacheRuns });
    const runs = await Promise.all(
      [1, 2, 3].map((n) => env.client.start(tag, n, { attributes: { tenant: "a", n: 0 } })),
    );
    await env.skip("1h");
    expect((await runs[1]!.describe()).attributes).toEqual({ tenant: "a", n: 2, big: true, done: "yes" });
    const { runs: listed } = await env.client.list({ attributes: { tenant: "a", big: true } });
    expect(listed.map(({ runId }) => runId).toSorted()).toEqual([runs[1]!.runId, runs[2]!.runId].toSorted());
  });

  it("that cannot be stored are refused", async () => {
    const tag = workflow({ name: "tag" }, async (ctx) => {
      const codes: string[] = [];
      for (const value of [null, {}, [], Number.NaN, "x".repeat(256), undefined, 1n]) {
        try {
          ctx.attributes.set({ value: value as never });
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      }
      return codes;
    });
    const env = environment({ workflows: [tag], cacheRuns });
    const run = await env.client.start(tag, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(Array.from({ length: 7 }, () => "invalid-argument"));
    for (const attributes of [{ "": 1 }, { a: null }, { a: "\0" }]) {
      await expect(env.client.start(tag, undefined, { attributes: attributes as never })).rejects.toMatchObject({
        code: "invalid-argument",
      });
    }
  });
});

describe("a state with a schema", () => {
  const positive: Schema<unknown, { n: number }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        (value as { n: number }).n >= 0
          ? { value: value as { n: number } }
          : { issues: [{ message: "n is negative" }] },
    },
  };

  it("refuses a change in the code, and keeps the state as it was", async () => {
    const counting = workflow({ name: "counting", state: { schema: positive, initial: { n: 1 } } }, async (ctx) => {
      const refused: string[] = [];
      for (const change of [() => ctx.state.set("n", -1), () => ctx.state.update(() => ({ n: -2 }))]) {
        try {
          change();
        } catch (error) {
          refused.push((error as UsageError).code);
        }
      }
      return { refused, n: ctx.state.get("n") };
    });
    const env = environment({ workflows: [counting] });
    const run = await env.client.start(counting, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual({ refused: ["invalid-input", "invalid-input"], n: 1 });
  });

  it("refuses a start whose initial state does not fit", async () => {
    const wrong = workflow({ name: "wrong", state: { schema: positive, initial: { n: -1 } } }, async () => 0);
    const env = environment({ workflows: [wrong] });
    await expect(env.client.start(wrong, undefined)).rejects.toMatchObject({ code: "invalid-input" });
  });
});
