import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { gate, intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";

const go = signal<string>("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

describe("handle.result", () => {
  it("waits for the end and answers the output with its types", async () => {
    const types = workflow({ name: "types" }, async (ctx) => {
      await ctx.sleep("1h");
      return { at: ctx.now(), map: new Map([["a", 1n]]), nothing: undefined };
    });
    const env = environment({ workflows: [types] });
    const startedAt = env.clock.now();
    const run = await env.client.start(types, undefined);
    const waiting = Promise.all([run.result(), run.result(), env.client.handle(run.runId, types).result()]);
    await env.skip("1h");
    const expected = { at: new Date(startedAt + 3_600_000), map: new Map([["a", 1n]]), nothing: undefined };
    expect(await waiting).toEqual([expected, expected, expected]);
  });

  it("throws a typed failure, with what was thrown as its cause", async () => {
    class PaymentError extends Error {
      override name = "PaymentError";
      readonly code = "card-declined";
    }
    const failing = workflow({ name: "failing" }, async () => {
      throw new PaymentError("declined", { cause: new RangeError("no money") });
    });
    const env = environment({ workflows: [failing] });
    const run = await env.client.start(failing, undefined);
    await env.runUntilIdle();
    const error = await run.result().catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: "RunFailedError",
      code: "run-failed",
      runId: run.runId,
      failure: {
        name: "PaymentError",
        message: "declined",
        code: "card-declined",
        cause: { name: "RangeError", message: "no money" },
      },
      cause: { name: "PaymentError", message: "declined" },
    });
  });

  it.each([
    ["a string", "just text", { name: "Error", message: "just text" }],
    ["nothing", undefined, { name: "Error" }],
    ["null", null, { name: "Error" }],
    ["an object", { a: 1 }, { name: "Error", message: '{"a":1}' }],
  ])("takes %s that was thrown", async (_, thrown, failure) => {
    const failing = workflow({ name: "failing" }, async () => {
      throw thrown;
    });
    const env = environment({ workflows: [failing] });
    const run = await env.client.start(failing, undefined);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-failed", failure });
  });

  it.each([
    ["a function", () => {}, "not-serializable"],
    ["too much", "x".repeat(2_000_000), "payload-too-large"],
  ])("of code that returns %s is a failure with the code", async (_, output, code) => {
    const returns = workflow({ name: "returns" }, async () => output as unknown);
    const env = environment({ workflows: [returns] });
    const run = await env.client.start(returns, undefined);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-failed", failure: { code } });
  });

  it("of code whose output the schema refuses is a failure", async () => {
    const returns = workflow(
      {
        name: "returns",
        output: { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no" }] }) } },
      },
      async () => 7,
    );
    const env = environment({ workflows: [returns] });
    const run = await env.client.start(returns, undefined);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({
      failure: { code: "invalid-input", message: expect.stringContaining("output of workflow") as unknown },
    });
  });

  it("gives up after a time-out, while the run goes on", async () => {
    const env = environment({ workflows: [wait] });
    const run = await env.client.start(wait, undefined);
    const waiting = run.result({ timeout: "10s" });
    waiting.catch(() => {});
    await env.skip("10s");
    await expect(waiting).rejects.toMatchObject({ code: "result-timeout", runId: run.runId, timeoutMs: 10_000 });
    await run.signal(go, "on");
    await env.runUntilIdle();
    expect(await run.result({ timeout: "10s" })).toBe("on");
    await expect(run.result({ timeout: -1 })).rejects.toMatchObject({ code: "invalid-argument" });
  });

  it("gives up when a signal fires, with its reason", async () => {
    const env = environment({ workflows: [wait] });
    const run = await env.client.start(wait, undefined);
    const controller = new AbortController();
    const waiting = run.result({ signal: controller.signal });
    waiting.catch(() => {});
    await env.runUntilIdle();
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(run.result({ signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });

  it("of a run that is not there says so", async () => {
    const env = environment({ workflows: [] });
    await expect(env.client.handle("nobody").result()).rejects.toMatchObject({
      code: "run-not-found",
      details: { runId: "nobody" },
    });
  });

  it("does not miss an end that comes while it looks", async () => {
    const clock = virtualClock();
    const looked = gate();
    let slow = false;
    const storage = intercepted(memory({ clock }), {
      getRun: async (call) => {
        const answer = await call();
        if (slow) {
          slow = false;
          await looked.passed;
        }
        return answer;
      },
    });
    const env = environment({ workflows: [wait], storage, clock });
    const run = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    slow = true;
    const waiting = run.result();
    await run.signal(go, "now");
    await env.runUntilIdle();
    looked.open();
    expect(await waiting).toBe("now");
  });

  it("comes through without any hint, by looking again", async () => {
    const clock = virtualClock();
    const store = memory({ clock });
    const deaf = new Proxy(store, {
      get(target, key) {
        if (key === "subscribe") return undefined;
        const member: unknown = Reflect.get(target, key);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    const env = environment({ workflows: [wait], storage: deaf, clock });
    const run = await env.client.start(wait, undefined);
    const waiting = run.result();
    await run.signal(go, "now");
    await env.runUntilIdle();
    await env.skip("10s");
    expect(await waiting).toBe("now");
  });
});
