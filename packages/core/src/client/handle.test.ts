import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { gate, intercepted } from "../../test/intercepted.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { createClient } from "./client.ts";

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

describe("handle.describe", () => {
  it("says what the run waits for, and why it is not moving, at every stage", async () => {
    const flaky = activity({ name: "flaky", retry: { delay: "1h", jitter: 0 } }, async (_: undefined, { attempt }) => {
      if (attempt === 1) throw new Error("no");
    });
    const stages = workflow({ name: "stages" }, async (ctx) => {
      await ctx.run(flaky, undefined);
      await ctx.sleep("1d");
      await ctx.waitFor(go, { timeout: "2d" });
      await ctx.child(wait, undefined, { id: "kid" });
    });
    const env = environment({ workflows: [stages, wait] });
    const startedAt = env.clock.now();
    const at = (ms: number): string => new Date(startedAt + ms).toISOString();
    const hour = 3_600_000;
    const run = await env.client.start(stages, undefined, { startAt: hour });
    expect(await run.describe()).toMatchObject({ status: "pending", why: `Its start is due at ${at(hour)}.` });
    env.clock.advance(hour);
    expect((await run.describe()).why).toBe(
      `It has been ready since ${at(hour)} and no worker has taken it. Is a worker running that serves queue "default" and has workflow "stages"?`,
    );
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      currentActivities: [
        { name: "flaky", attempt: 2, retryAt: new Date(startedAt + 2 * hour), lastFailure: { message: "no" } },
      ],
      why: `It waits for attempt 2 of activity "flaky" at ${at(2 * hour)} (attempt 1 failed: no).`,
    });
    await env.skip(hour);
    expect(await run.describe()).toMatchObject({
      why: `It waits for a timer until ${at(26 * hour)}.`,
      waitingFor: [{ what: "timer", dueAt: new Date(startedAt + 26 * hour) }],
    });
    await env.skip("1d");
    expect(await run.describe()).toMatchObject({
      why: `It waits for signal "go" until ${at(74 * hour)}.`,
      waitingFor: [{ what: "signal", name: "go", dueAt: new Date(startedAt + 74 * hour) }],
    });
    await run.signal(go, "x");
    await env.runUntilIdle();
    expect((await run.describe()).why).toBe('It waits for child run "kid" of workflow "wait".');
    await env.client.handle("kid").signal(go, "x");
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "completed",
      why: `It ended as completed at ${at(26 * hour)}.`,
      closedAt: new Date(startedAt + 26 * hour),
      waitingFor: [],
      failure: null,
    });
  });

  it("says why a run failed or was cancelled", async () => {
    const failing = workflow({ name: "failing" }, async () => {
      throw new RangeError(`no money${"!".repeat(400)}`);
    });
    const env = environment({ workflows: [failing, wait] });
    const endedAt = new Date(env.clock.now()).toISOString();
    const failed = await env.client.start(failing, undefined);
    const cancelled = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    await cancelled.cancel({ reason: "enough" });
    await env.runUntilIdle();
    expect(await failed.describe()).toMatchObject({
      why: `It ended as failed at ${endedAt}: no money${"!".repeat(291)}…`,
      failure: { name: "RangeError" },
      cancelRequested: null,
    });
    expect(await cancelled.describe()).toMatchObject({
      why: `It ended as cancelled at ${endedAt}: enough.`,
      failure: { code: "cancelled" },
      cancelRequested: { reason: "enough" },
    });
  });

  it("says that it was asked to cancel while that waits", async () => {
    const shielded = workflow({ name: "shielded" }, (ctx) => ctx.shield(() => ctx.waitFor(go)));
    const env = environment({ workflows: [shielded] });
    const run = await env.client.start(shielded, undefined);
    await env.runUntilIdle();
    await run.cancel({ reason: "enough" });
    const unread = expect.stringMatching(/A message waits for it in its inbox\.$/u) as unknown;
    expect(await run.describe()).toMatchObject({ cancelRequested: null, why: unread });
    const at = new Date(env.clock.now());
    await env.runUntilIdle();
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      why: `It waits for signal "go". It was asked to cancel at ${at.toISOString()}: enough.`,
      cancelRequested: { at, reason: "enough" },
    });
  });

  it("names a deadline that wakes the run before what it waits for", async () => {
    const env = environment({ workflows: [wait] });
    const run = await env.client.start(wait, undefined, { timeout: "1h" });
    await env.runUntilIdle();
    const { deadlineAt, why } = await run.describe();
    expect(why).toBe(`It waits for signal "go"; it wakes at ${deadlineAt!.toISOString()} at the latest.`);
  });

  it("says what a run that is held waits for", async () => {
    const env = environment({ workflows: [] });
    const end = Promise.withResolvers<string>();
    const busy = workflow({ name: "busy" }, (ctx) => ctx.run("long", () => end.promise));
    await env.restart({ workflows: [busy] });
    const run = await env.client.start(busy, undefined);
    await env.skip("1m");
    expect(await run.describe()).toMatchObject({
      status: "running",
      why: expect.stringMatching(
        /^Worker .+ has it, with a lease until .+; it waits for attempt 1 of activity "long"\.$/u,
      ) as unknown,
    });
    end.resolve("done");
    expect(await env.result(run)).toBe("done");
  });

  it("says who holds it, and when that one has not come back", async () => {
    const env = environment({ workflows: [] });
    const run = await env.client.start(wait, undefined);
    await env.storage.claimTasks({
      workerId: "host/1",
      workerInstance: "host-1",
      holding: [],
      queues: ["default"],
      kinds: ["workflow"],
      handlers: { workflows: ["wait"], activities: [] },
      limit: 1,
      leaseMs: 10_000,
      inlineEvents: 0,
      overdue: false,
    });
    expect(await run.describe()).toMatchObject({
      status: "running",
      why: expect.stringContaining("Worker host/1 has it") as unknown,
    });
    env.clock.advance(10_000);
    expect(await run.describe()).toMatchObject({
      status: "suspended",
      why: expect.stringContaining("host/1 has not come back") as unknown,
    });
  });
});

describe("client.list", () => {
  it("pages through runs with equal times, each once (I19)", async () => {
    const env = environment({ workflows: [wait] });
    const started = await env.client.startMany(
      Array.from({ length: 5 }, () => ({ definition: wait, input: undefined })),
    );
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof env.client.list>> = await env.client.list({}, { limit: 2, cursor });
      expect(page.runs.length).toBeLessThanOrEqual(2);
      seen.push(...page.runs.map(({ runId }) => runId));
      ({ cursor } = page);
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(started.map(({ runId }) => runId).toSorted());
  });

  it("filters by status, workflow, queue and time", async () => {
    const other = workflow({ name: "other", queue: "slow" }, async () => {});
    const env = environment({ workflows: [wait, other], queues: ["default", "slow"] });
    const startedAt = new Date(env.clock.now());
    const waiting = await env.client.start(wait, undefined);
    env.clock.advance(1_000);
    const done = await env.client.start(other, undefined);
    await env.runUntilIdle();
    const ids = async (filter: Parameters<typeof env.client.list>[0]): Promise<string[]> =>
      (await env.client.list(filter)).runs.map(({ runId }) => runId);
    expect(await ids({ status: "completed" })).toEqual([done.runId]);
    expect(await ids({ status: ["open", "failed"] })).toEqual([waiting.runId]);
    expect(await ids({ workflow: "other" })).toEqual([done.runId]);
    expect(await ids({ queue: "default" })).toEqual([waiting.runId]);
    expect(await ids({ createdAfter: new Date(startedAt.getTime() + 1) })).toEqual([done.runId]);
    expect(await ids({ createdBefore: new Date(startedAt.getTime() + 1) })).toEqual([waiting.runId]);
    expect((await env.client.list({ workflow: "wait" })).runs[0]).toMatchObject({
      status: "suspended",
      blocked: null,
      createdAt: startedAt,
      closedAt: null,
    });
  });

  it("refuses a page of no size and a cursor that is not ours", async () => {
    const env = environment({ workflows: [] });
    for (const page of [{ limit: 0 }, { limit: 1_001 }, { limit: 1.5 }, { cursor: "made up" }]) {
      await expect(env.client.list({}, page)).rejects.toMatchObject({ code: "invalid-argument" });
    }
  });
});

describe("client.purge", () => {
  it("deletes closed runs, and their ids are free again (I26)", async () => {
    const done = workflow({ name: "done" }, async () => 1);
    const env = environment({ workflows: [done, wait] });
    for (let n = 0; n < 3; n++) await env.client.start(done, undefined, { id: `done-${n}` });
    const open = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    expect(await env.client.purge({ closedBefore: new Date(env.clock.now() + 1) })).toBe(0);
    env.clock.advance(2 * 3_600_000);
    expect(await env.client.purge({ closedBefore: new Date(env.clock.now()) })).toBe(3);
    expect((await env.client.list()).runs.map(({ runId }) => runId)).toEqual([open.runId]);
    const again = await env.client.start(done, undefined, { id: "done-1" });
    await env.runUntilIdle();
    expect(await again.result()).toBe(1);
    expect((await env.client.stats()).runs).toEqual({ open: 1, completed: 1, failed: 0, cancelled: 0 });
  });
});

describe("a client", () => {
  it("needs no worker, and leaves the storage to whoever made it", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const run = await client.start(wait, undefined);
    expect(await run.status()).toBe("pending");
    await run.cancel();
    await client.close();
    await client.close();
    expect(await storage.getRun(run.runId)).toBeDefined();
  });

  it("passes on what the storage says", async () => {
    const storage = memory();
    const client = createClient({ storage });
    await storage.close();
    await expect(client.start(wait, undefined)).rejects.toMatchObject({ code: "misconfigured" });
    await expect(client.list()).rejects.toMatchObject({ code: "misconfigured" });
    await expect(client.handle("x").status()).rejects.toMatchObject({ code: "misconfigured" });
  });
});
