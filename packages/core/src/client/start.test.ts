import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import type { StartOptions } from "./start.ts";

const order = workflow({ name: "order", version: "7" }, async (ctx, input: unknown) => {
  await ctx.sleep("1h");
  return input;
});

const positive = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    validate: (value: unknown) =>
      typeof value === "number" && value > 0
        ? { value: `#${value}` }
        : { issues: [{ message: "must be positive", path: ["n", 0] }] },
    types: undefined as unknown as { input: number; output: string },
  },
};

describe("client.start with a key", () => {
  it("is one run for fifty callers at once, and for later ones, also when it has ended (I15)", async () => {
    const env = environment({ workflows: [order] });
    const start = (): Promise<string> =>
      env.client.start(order, { a: 1, b: [2] }, { idempotencyKey: "k" }).then(({ runId }) => runId);
    const ids = await Promise.all(Array.from({ length: 50 }, start));
    await env.skip("2h");
    ids.push(await start());
    expect(new Set(ids).size).toBe(1);
    expect((await env.client.list()).runs).toHaveLength(1);
    expect(await env.client.handle(ids[0]!).result()).toEqual({ a: 1, b: [2] });
  });

  it("is the same for equal inputs, whatever the order of their keys", async () => {
    const env = environment({ workflows: [order] });
    const first = await env.client.start(order, { a: 1, b: 2 }, { idempotencyKey: "k" });
    const second = await env.client.start(order, { b: 2, a: 1 }, { idempotencyKey: "k" });
    expect(second.runId).toBe(first.runId);
    expect(second.incarnation).toBe(first.incarnation);
  });

  it("and another input is refused, naming the run", async () => {
    const env = environment({ workflows: [order] });
    const first = await env.client.start(order, 1, { idempotencyKey: "k" });
    await expect(env.client.start(order, 2, { idempotencyKey: "k" })).rejects.toMatchObject({
      code: "run-exists",
      details: { runId: first.runId },
      message: expect.stringContaining(first.runId) as unknown,
    });
    expect((await env.client.list()).runs).toHaveLength(1);
  });

  it("of another workflow is another run", async () => {
    const other = workflow({ name: "other" }, async () => {});
    const env = environment({ workflows: [order, other] });
    const first = await env.client.start(order, 1, { idempotencyKey: "k" });
    const second = await env.client.start(other, undefined, { idempotencyKey: "k" });
    expect(second.runId).not.toBe(first.runId);
  });

  it("by id is the same start, and another workflow or input is refused", async () => {
    const other = workflow({ name: "other" }, async () => {});
    const env = environment({ workflows: [order, other] });
    const first = await env.client.start(order, 1, { id: "o-1" });
    expect((await env.client.start(order, 1, { id: "o-1" })).incarnation).toBe(first.incarnation);
    await expect(env.client.start(order, 2, { id: "o-1" })).rejects.toMatchObject({ code: "run-exists" });
    await expect(env.client.start(other, undefined, { id: "o-1" })).rejects.toMatchObject({ code: "run-exists" });
    await expect(env.client.start(order, 1, { id: "o-1", idempotencyKey: "k" })).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });

  it("compares what the schema has made of the input", async () => {
    const checked = workflow({ name: "checked", input: positive }, async (_, input) => input);
    const env = environment({ workflows: [checked] });
    const first = await env.client.start(checked, 7, { idempotencyKey: "k" });
    const second = await env.client.start(checked, 7, { idempotencyKey: "k" });
    await env.runUntilIdle();
    expect(second.runId).toBe(first.runId);
    expect(await first.result()).toBe("#7");
  });
});

describe("client.start", () => {
  it("without an id is a run of its own each time", async () => {
    const env = environment({ workflows: [order] });
    const runs = await Promise.all(Array.from({ length: 20 }, () => env.client.start(order, 1)));
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(20);
  });

  it("in the future waits until then, also when a signal comes before; ctx.now is the start", async () => {
    const go = signal<string>("go");
    const late = workflow({ name: "late" }, async (ctx) => [ctx.now(), await ctx.waitFor(go)]);
    const env = environment({ workflows: [late] });
    const startAt = new Date(env.clock.now() + 3_600_000);
    const run = await env.client.start(late, undefined, { startAt });
    const other = await env.client.start(late, undefined, { startAt: "1h" });
    await run.signal(go, "early");
    await other.signal(go, "early too");
    await env.skip("59m");
    expect((await run.history()).map(({ type }) => type)).toEqual(["WORKFLOW_STARTED", "SIGNAL_RECEIVED"]);
    await env.skip("1m");
    expect(await run.result()).toEqual([startAt, "early"]);
    expect(await other.result()).toEqual([startAt, "early too"]);
  });

  it("takes those of a higher priority first", async () => {
    const taken: number[] = [];
    const noted = workflow({ name: "noted" }, async (_, n: number) => void taken.push(n));
    const env = environment({ workflows: [noted], concurrency: { runs: 1, activities: 1 }, replays: false });
    for (const priority of [0, -9, 9, 3]) await env.client.start(noted, priority, { priority });
    for (let at = 0; at < 4; at++) await env.worker.runOnce({ max: 1 });
    expect(taken).toEqual([9, 3, 0, -9]);
  });

  it("records version, attributes and queue", async () => {
    const env = environment({ workflows: [order], queues: ["default", "fast"] });
    const run = await env.client.start(order, 1, {
      queue: "fast",
      attributes: { tenant: "a", n: 1, b: true },
      priority: 2,
    });
    expect(await run.describe()).toMatchObject({
      workflow: "order",
      version: "7",
      queue: "fast",
      priority: 2,
      attributes: { tenant: "a", n: 1, b: true },
      status: "pending",
      generation: 1,
      events: 1,
      parentRunId: null,
      deadlineAt: null,
    });
    expect((await run.history())[0]).toMatchObject({
      type: "WORKFLOW_STARTED",
      data: { version: "7", attributes: { tenant: "a", n: 1, b: true } },
    });
  });

  it("of many starts each stands alone: the first refusal is thrown after all others were done", async () => {
    const env = environment({ workflows: [order] });
    const starts = [1, () => {}, 3].map((input) => ({ definition: order, input: input as unknown, options: {} }));
    await expect(env.client.startMany(starts)).rejects.toMatchObject({ code: "not-serializable" });
    expect((await env.client.list()).runs).toHaveLength(2);
  });

  describe("refuses, with a code and what to do, and leaves nothing behind:", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    let deep: unknown = 1;
    for (let level = 0; level < 300; level++) deep = [deep];

    const inputs: readonly (readonly [what: string, input: unknown, code: string])[] = [
      ["a function", () => {}, "not-serializable"],
      ["a symbol", Symbol("x"), "not-serializable"],
      ["a cycle", cyclic, "not-serializable"],
      ["an instance of a class", new (class Money {})(), "not-serializable"],
      ["a function deep inside", { a: [{ b: () => {} }] }, "not-serializable"],
      ["what is too deep", deep, "not-serializable"],
      ["what is too large", "x".repeat(1_100_000), "payload-too-large"],
      ["ten megabytes", "x".repeat(10_000_000), "payload-too-large"],
    ];
    it.each(inputs)("an input that is or has %s", async (_, input, code) => {
      const env = environment({ workflows: [order] });
      await expect(env.client.start(order, input)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/\. [A-Z]/u) as unknown,
      });
      expect((await env.client.list()).runs).toEqual([]);
    });

    it("an input that the schema refuses, with its issues", async () => {
      const checked = workflow({ name: "checked", input: positive }, async (_, input) => input);
      const env = environment({ workflows: [checked] });
      await expect(env.client.start(checked, -1)).rejects.toMatchObject({
        code: "invalid-input",
        details: { issues: [{ path: "$.n[0]", message: "must be positive" }] },
        message: expect.stringContaining('input of workflow "checked"') as unknown,
      });
      expect((await env.client.list()).runs).toEqual([]);
    });

    const options: readonly (readonly [what: string, options: StartOptions])[] = [
      ["an empty id", { id: "" }],
      ["an id of 256 bytes", { id: "é".repeat(128) }],
      ["an id of the wrong type", { id: 7 as never }],
      ["an id that is null", { id: null as never }],
      ["an id with NUL", { id: "a\0b" }],
      ["an id with half a surrogate pair", { id: "\ud800" }],
      ["an empty key", { idempotencyKey: "" }],
      ["a key of 256 bytes", { idempotencyKey: "x".repeat(256) }],
      ["a key of the wrong type", { idempotencyKey: {} as never }],
      ["an empty queue", { queue: "" }],
      ["a queue of the wrong type", { queue: [] as never }],
      ["a priority of 10", { priority: 10 }],
      ["half a priority", { priority: 0.5 }],
      ["a priority of the wrong type", { priority: "1" as never }],
      ["a negative time-out", { timeout: -1 }],
      ["an absurd time-out", { timeout: "99999999d" }],
      ["a time-out that is none", { timeout: "soon" as never }],
      ["an infinite time-out", { timeout: Infinity }],
      ["a negative start", { startAt: -1 }],
      ["a start that is no date", { startAt: new Date(Number.NaN) }],
      ["a start after the year 9999", { startAt: new Date(8.64e15) }],
      ["a start that is null", { startAt: null as never }],
      ["an attribute that is an object", { attributes: { a: {} as never } }],
      ["an attribute without a name", { attributes: { "": 1 } }],
    ];
    it.each(options)("%s", async (_, bad) => {
      const env = environment({ workflows: [order] });
      await expect(env.client.start(order, 1, bad)).rejects.toMatchObject({
        code: "invalid-argument",
        message: expect.stringMatching(/\. [A-Z]/u) as unknown,
      });
      expect((await env.client.list()).runs).toEqual([]);
      // The neighbours in the same batch do not suffer.
      const good = await env.client.start(order, 1);
      expect(await good.status()).toBe("pending");
    });

    it.each([undefined, null, {}, "order", activity({ name: "order" }, () => 1)])(
      "%s as a workflow",
      async (definition) => {
        const env = environment({ workflows: [order] });
        await expect(env.client.start(definition as never, 1)).rejects.toMatchObject({ code: "unknown-workflow" });
        expect((await env.client.list()).runs).toEqual([]);
      },
    );

    it("a state that cannot be stored, or is none", async () => {
      const env = environment({ workflows: [] });
      const bad = workflow({ name: "bad", state: { initial: () => ({ fn: () => {} }) } }, async () => {});
      await expect(env.client.start(bad, undefined)).rejects.toMatchObject({ code: "not-serializable" });
      const none = workflow({ name: "none", state: { initial: () => 7 } }, async () => {});
      await expect(env.client.start(none, undefined)).rejects.toMatchObject({ code: "invalid-argument" });
    });
  });

  it("ids are byte-exact: case, blanks, slashes, emoji, 255 bytes (I22)", async () => {
    const ids = [
      "a",
      "A",
      "a ",
      " a",
      "a/b",
      "a\\b",
      "..",
      "\u00e9",
      "e\u0301",
      "🎈",
      "%2F",
      "{}",
      "x".repeat(255),
      "🎈".repeat(63),
    ];
    const env = environment({ workflows: [order] });
    for (const id of ids) await env.client.start(order, id, { id });
    await env.skip("1h");
    for (const id of ids) expect(await env.client.handle(id).result()).toBe(id);
    expect((await env.client.list()).runs).toHaveLength(ids.length);
  });
});
