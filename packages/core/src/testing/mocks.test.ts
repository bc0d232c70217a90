import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { ActivityFailedError, NonRetryableError } from "../errors/index.ts";
import type { Schema, SchemaResult } from "../model/schema.ts";

/** A schema that refuses what makes `convert` throw. */
function schema<Input, Output>(convert: (value: Input) => Output): Schema<Input, Output> {
  const validate = (value: unknown): SchemaResult<Output> => {
    try {
      return { value: convert(value as Input) };
    } catch (error) {
      return { issues: [{ message: String(error) }] };
    }
  };
  return { "~standard": { version: 1, vendor: "test", validate } };
}

function requireText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError("no text");
}

let reached = 0;
const charge = activity(
  {
    name: "charge",
    input: schema(({ orderId, cents }: { orderId: string; cents: string }) => ({
      orderId: requireText(orderId),
      cents: Number(cents),
    })),
    output: schema(({ receipt }: { receipt: string }) => ({ receipt: requireText(receipt) })),
    retry: { maximumAttempts: 3, delay: "10s", jitter: 0 },
    timeout: "1m",
  },
  async ({ orderId }) => {
    reached++;
    return { receipt: `real ${orderId}` };
  },
);
const order = workflow({ name: "order" }, async (ctx, orderId: string) => {
  const { receipt } = await ctx.run(charge, { orderId, cents: "700" });
  const note = await ctx.run("note", () => "a real note");
  return [receipt, note];
});
const workflows = [order];

describe("env.mock", () => {
  it("takes the place of the activity's code, for definitions and for functions by name", async () => {
    const env = environment({ workflows });
    reached = 0;
    const charged = env.mock(charge, async ({ orderId, cents }) => ({ receipt: `${orderId}/${cents + 1}` }));
    const noted = env.mock("note", (input, { name, attempt }) => [input, name, attempt]);
    const run = await env.client.start(order, "o-1");
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["o-1/701", [undefined, "note", 1]]);
    expect(reached).toBe(0);
    const { runId } = run;
    expect(charged.calls).toEqual([
      {
        runId,
        input: { orderId: "o-1", cents: 700 },
        attempt: 1,
        idempotencyKey: expect.any(String),
        status: "returned",
        output: { receipt: "o-1/701" },
      },
    ]);
    expect(noted.calls).toMatchObject([{ runId, input: undefined, attempt: 1, status: "returned" }]);
  });

  it("is retried by the activity's policy (I16)", async () => {
    const env = environment({ workflows });
    const charged = env.mock(charge, async (_, { attempt }) => {
      if (attempt < 3) throw new Error(`busy ${attempt}`);
      return { receipt: "r" };
    });
    const startedAt = env.clock.now();
    const run = await env.client.start(order, "o-1");
    expect(await env.result(run)).toEqual(["r", "a real note"]);
    expect(env.clock.now() - startedAt).toBe(20_000);
    expect(charged.calls.map(({ attempt, status, error }) => [attempt, status, String(error)])).toEqual([
      [1, "threw", "Error: busy 1"],
      [2, "threw", "Error: busy 2"],
      [3, "returned", "undefined"],
    ]);
    expect(new Set(charged.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it("is not retried when it says so, or when the policy has no attempts left", async () => {
    const env = environment({ workflows });
    const stolen = env.mock(charge, () => {
      throw new NonRetryableError("stolen");
    });
    await expect(env.result(await env.client.start(order, "o-1"))).rejects.toMatchObject({
      failure: { code: "activity-failed", cause: { message: "stolen" } },
    });
    expect(stolen.calls.length).toBe(1);
    const down = env.mock(charge, () => Promise.reject(new Error("down")));
    await expect(env.result(await env.client.start(order, "o-2"))).rejects.toMatchObject({ code: "run-failed" });
    expect([stolen.calls.length, down.calls.length]).toEqual([1, 3]);
  });

  it("is timed out like the real one, and its signal fires", async () => {
    const env = environment({ workflows });
    const fired: number[] = [];
    const charged = env.mock(charge, (_, { signal, attempt }) => {
      if (attempt === 2) return { receipt: "late" };
      signal.addEventListener("abort", () => fired.push(attempt));
      return new Promise(() => {});
    });
    const startedAt = env.clock.now();
    expect(await env.result(await env.client.start(order, "o-1"))).toEqual(["late", "a real note"]);
    expect(env.clock.now() - startedAt).toBe(70_000);
    expect(fired).toEqual([1]);
    expect(charged.calls.map(({ status }) => status)).toEqual(["running", "returned"]);
  });

  it("must pass the output schema, and is not called with an input that the schema refuses (I29)", async () => {
    const env = environment({ workflows });
    const charged = env.mock(charge, () => ({ receipt: 1 }) as never);
    await expect(env.result(await env.client.start(order, "o-1"))).rejects.toMatchObject({
      failure: { code: "activity-failed", cause: { code: "invalid-input" } },
    });
    expect(charged.calls).toMatchObject([{ status: "returned", output: { receipt: 1 } }]);
    await expect(env.result(await env.client.start(order, 7 as never))).rejects.toMatchObject({
      failure: { code: "activity-failed", cause: { code: "invalid-input" } },
    });
    expect(charged.calls.length).toBe(1);
  });

  it("is replaced by a newer one and gone with unmock, from the next attempt on", async () => {
    const env = environment({ workflows });
    const busy = env.mock(charge, () => Promise.reject(new Error("busy")));
    const run = await env.client.start(order, "o-1");
    await env.runUntilIdle();
    const second = env.mock(charge, () => Promise.reject(new Error("still busy")));
    await env.skip("10s");
    env.unmock("charge");
    expect(await env.result(run)).toEqual(["real o-1", "a real note"]);
    expect([busy.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it("knows what is an activity", () => {
    const env = environment({ workflows });
    expect(() => env.mock(order as never, () => 1)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => env.mock(charge, {} as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe('unmocked: "throw"', () => {
  it("lets no real activity run, and says which one was called", async () => {
    const env = environment({ workflows, unmocked: "throw" });
    reached = 0;
    env.mock("note", () => "mocked");
    const run = await env.client.start(order, "o-1");
    const error = await env.result(run).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: { cause: { nonRetryable: true } } });
    expect(JSON.stringify(error)).toMatch(/activity \\"charge\\", which is not mocked.*Mock it with env\.mock/u);
    expect(reached).toBe(0);
    env.mock(charge, () => ({ receipt: "mocked" }));
    expect(await env.result(await env.client.start(order, "o-2"))).toEqual(["mocked", "mocked"]);
  });

  it("is seen by code that compensates as the failure of the activity", async () => {
    const careful = workflow({ name: "careful" }, async (ctx) => {
      try {
        return await ctx.run("pay", () => "paid");
      } catch (error) {
        if (!(error instanceof ActivityFailedError)) throw error;
        return error.attempts;
      }
    });
    const env = environment({ workflows: [careful], unmocked: "throw" });
    expect(await env.result(await env.client.start(careful, undefined))).toBe(1);
  });
});

describe("env.result", () => {
  it("says why no time will end a run", async () => {
    const stuck = workflow({ name: "stuck" }, (ctx) => ctx.child(order, "child"));
    const env = environment({ workflows: [stuck] });
    const run = await env.client.start(stuck, undefined, { id: "s-1" });
    await expect(env.result(run)).rejects.toMatchObject({
      code: "ERR_ASSERTION",
      message: expect.stringMatching(/^Run "s-1" has not ended, and no time will end it\. It waits for child run/u),
    });
  });

  it("does not wait longer than it is told, in virtual time", async () => {
    const forever = workflow({ name: "forever" }, async (ctx) => {
      for (;;) await ctx.sleep("1d");
    });
    const env = environment({ workflows: [forever] });
    const startedAt = env.clock.now();
    const run = await env.client.start(forever, undefined);
    await expect(env.result(run, { within: "9.5d" })).rejects.toThrow(/will not within 9\.5d\. It waits for a timer/u);
    expect(env.clock.now() - startedAt).toBe(9 * 86_400_000);
  });
});
