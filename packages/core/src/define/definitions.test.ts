import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "./activity.ts";
import { signal } from "./signal.ts";
import { workflow } from "./workflow.ts";

/** Refused with this code, one sentence of what happened and one of what to do. */
const refused = (code: string): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(/\. [A-Z]/u) as unknown });

const names: readonly (readonly [what: string, name: unknown])[] = [
  ["empty", ""],
  ["of 256 bytes", "é".repeat(128)],
  ["a number", 7],
  ["missing", undefined],
  ["with NUL", "a\0"],
  ["with half a surrogate pair", "\udc00"],
];

describe("a definition", () => {
  it.each(names)("whose name is %s is refused", (_, name) => {
    expect(() => workflow({ name: name as string }, async () => {})).toThrow(refused("invalid-argument"));
    expect(() => activity({ name: name as string }, () => {})).toThrow(refused("invalid-argument"));
    expect(() => signal(name as string)).toThrow(refused("invalid-argument"));
  });

  it("with a name of 255 bytes is taken", () => {
    expect(workflow({ name: "é".repeat(127) + "x" }, async () => {}).name).toHaveLength(128);
  });
});

const refusals: readonly (readonly [what: string, define: () => unknown, says: RegExp])[] = [
  [
    "options that are a name",
    () => call(workflow, "order", nothing),
    /workflow takes its options as an object, not as a string/,
  ],
  ["no options", () => call(activity), /activity takes its options as an object, not as undefined/],
  [
    "a misspelt option of a workflow",
    () => call(workflow, { name: "w", timeOut: "1m" }, nothing),
    /no option "timeOut".*timeout/,
  ],
  [
    "a misspelt option of an activity",
    () => call(activity, { name: "a", retries: 5 }, nothing),
    /no option "retries".*retry/,
  ],
  [
    "a misspelt option of a cache",
    () => call(activity, { name: "a", cache: { kay: nothing } }, nothing),
    /no option "kay"/,
  ],
  [
    "a state in place of its definition",
    () => call(workflow, { name: "w", state: { paid: false } }, nothing),
    /no option "paid"/,
  ],
  [
    "an input that is no schema",
    () => call(workflow, { name: "w", input: { id: "string" } }, nothing),
    /input of workflow "w" must be a Standard Schema/,
  ],
  [
    "an output that is no schema",
    () => call(activity, { name: "a", output: {} }, nothing),
    /output of activity "a" must be a Standard Schema/,
  ],
  [
    "a signal's schema that is none",
    () => call(signal, "s", { by: "string" }),
    /schema of signal "s" must be a Standard Schema/,
  ],
  [
    "code that is no function",
    () => call(workflow, { name: "w" }, 5),
    /code of workflow "w" must be a function, not number/,
  ],
  [
    "an activity without code",
    () => call(activity, { name: "a" }),
    /code of activity "a" must be a function, not undefined/,
  ],
  [
    "a version that is a number",
    () => call(workflow, { name: "w", version: 3 }, nothing),
    /version of workflow "w" must be a text/,
  ],
];

function nothing(): void {}

function call(define: unknown, ...given: readonly unknown[]): unknown {
  return (define as (...all: readonly unknown[]) => unknown)(...given);
}

describe("a definition as code without types makes it", () => {
  it.each(refusals)("is refused with %s", (_, define, says) => {
    expect(define).toThrow(refused("invalid-argument"));
    expect(define).toThrow(says);
  });

  it("may have options that are undefined", () => {
    expect(workflow({ name: "w", ...({ retries: undefined } as object) }, async () => {}).name).toBe("w");
  });
});

describe("workflow", () => {
  it.each([
    ["a negative time-out", { timeout: -1 }],
    ["an absurd time-out", { timeout: "36526d" }],
    ["a time-out that is none", { timeout: "1 day" }],
    ["an empty queue", { queue: "" }],
  ])("refuses %s", (_, options) => {
    expect(() => workflow({ name: "w", ...(options as object) }, async () => {})).toThrow(refused("invalid-argument"));
  });

  it.each([7, [], null, "text"])("refuses a state of %j when a run is started with it", (initial) => {
    const { initialState } = workflow({ name: "w", state: { initial } }, async () => {});
    expect(() => initialState!(undefined)).toThrow(refused("invalid-argument"));
  });

  it("has defaults", () => {
    expect(workflow({ name: "w" }, async () => {})).toMatchObject({
      kind: "workflow",
      version: null,
      description: null,
      inputSchema: null,
      outputSchema: null,
      initialState: null,
      timeoutMs: null,
      queue: "default",
    });
  });
});

describe("activity", () => {
  it.each([
    ["no attempts", { retry: 0 }],
    ["half an attempt", { retry: 1.5 }],
    ["a misspelt option", { retry: { maxAttempts: 3 } }],
    ["a delay that is none", { retry: { delay: "soon" } }],
    ["a negative time-out", { timeout: -1 }],
    ["an absurd heartbeat", { heartbeatTimeout: Infinity }],
    ["a transaction that is none", { transaction: {} }],
    ["a transaction with a cache", { transaction: () => {}, cache: { key: () => "" } }],
  ])("refuses %s", (_, options) => {
    expect(() => activity({ name: "a", ...(options as object) }, () => {})).toThrow(refused("invalid-argument"));
  });

  it("refuses the same in the options of a call, inside the workflow", async () => {
    const ok = activity({ name: "ok" }, () => 1);
    const calls = workflow({ name: "calls" }, async (ctx) => {
      const codes: string[] = [];
      for (const options of [{ retry: 0 }, { timeout: -1 }, { heartbeatTimeout: "x" as never }]) {
        await ctx.run(ok, undefined, options).catch((error: { code: string }) => codes.push(error.code));
        await ctx.run("inline", () => 1, options).catch((error: { code: string }) => codes.push(error.code));
      }
      return [codes, await ctx.run(ok, undefined)];
    });
    const env = environment({ workflows: [calls] });
    const run = await env.client.start(calls, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([Array.from({ length: 6 }, () => "invalid-argument"), 1]);
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED",
      "WORKFLOW_COMPLETED",
    ]);
  });
});

describe("what workflow code asks for and cannot have", () => {
  it("is refused in the code, with a code, and the run goes on", async () => {
    const ok = activity({ name: "ok" }, (input: unknown) => input);
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const asks = workflow({ name: "asks" }, async (ctx) => {
      const attempts: (() => unknown)[] = [
        () => ctx.run(undefined as never, 1),
        () => ctx.run({ name: "ok" } as never, 1),
        () => ctx.run("ok", "not a function" as never),
        () => ctx.run("", () => 1),
        () => ctx.run(ok, () => {}),
        () => ctx.run(ok, Symbol("x")),
        () => ctx.run(ok, cyclic),
        () => ctx.run(ok, "x".repeat(2_000_000)),
        () => ctx.waitFor({} as never),
        () => ctx.waitFor(signal("s"), { timeout: "soon" as never }),
        () => {
          const signals = ctx.signals(null as never);
          return signals[Symbol.asyncIterator]().next();
        },
        () => ctx.sideEffect("", () => 1),
        () => ctx.sideEffect("s", () => () => {}),
        () => ctx.attributes.set({ a: {} as never }),
      ];
      const codes: string[] = [];
      for (const attempt of attempts) {
        try {
          await attempt();
          codes.push("taken");
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      }
      return [codes, await ctx.run(ok, "still here")];
    });
    const env = environment({ workflows: [asks] });
    const run = await env.client.start(asks, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([
      [
        "unknown-activity",
        "unknown-activity",
        "invalid-argument",
        "invalid-argument",
        "not-serializable",
        "not-serializable",
        "not-serializable",
        "payload-too-large",
        "invalid-argument",
        "invalid-argument",
        "invalid-argument",
        "invalid-argument",
        "not-serializable",
        "invalid-argument",
      ],
      "still here",
    ]);
    // What a side effect throws is its outcome; nothing else has left a trace.
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "SIDE_EFFECT_RECORDED",
      "ACTIVITY_COMPLETED",
      "WORKFLOW_COMPLETED",
    ]);
  });

  it("and does not catch, fails the run with the code", async () => {
    const asks = workflow({ name: "asks" }, (ctx) => ctx.run("", () => 1));
    const env = environment({ workflows: [asks] });
    const run = await env.client.start(asks, undefined);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-failed", failure: { code: "invalid-argument" } });
  });

  it("of an activity's result is a failure that is not retried", async () => {
    let attempts = 0;
    const bad = activity({ name: "bad" }, () => {
      attempts++;
      return () => {};
    });
    const asks = workflow({ name: "asks" }, (ctx) =>
      ctx.run(bad, undefined).then(
        () => null,
        (error: { cause: { code: string } }) => error.cause.code,
      ),
    );
    const env = environment({ workflows: [asks] });
    const run = await env.client.start(asks, undefined);
    await env.skip("1h");
    expect(await run.result()).toBe("not-serializable");
    expect(attempts).toBe(1);
  });
});
