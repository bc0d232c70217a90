import { describe, expect, it } from "vitest";
import { CACHES, environment, type TestedEnvironment } from "../../test/environment.ts";
import { claimById, commit, workflowCommit } from "../../test/port.ts";
import type { RunHandle } from "../client/handle.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { workflowTaskId } from "../model/ids.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import { exportHistory } from "../testing.ts";
import { types } from "../../test/types.ts";

const go = signal<string>("go");

/** The seq of the first event of a type. */
async function seqOf(run: RunHandle, type: string): Promise<number> {
  return (await run.history()).find((event) => event.type === type)!.seq;
}

describe.each(CACHES)("a fork, with %i runs kept in memory", (cacheRuns) => {
  it("goes on from a place in the history, with the code of today, and leaves its source alone (I2)", async () => {
    const executed: string[] = [];
    const work = activity({ name: "work" }, async (name: string, { attempt, idempotencyKey }) => {
      executed.push(`${name}${attempt}`);
      return idempotencyKey;
    });
    const order = workflow(
      { name: "order", version: "1.2.0", state: { initial: { at: "begin", n: 0 } } },
      async (ctx, input: string) => {
        const first = await ctx.run(work, "a");
        ctx.state.set("at", "middle");
        ctx.attributes.set({ tier: "gold" });
        const got = await ctx.waitFor(go);
        ctx.state.update(({ n }) => ({ at: "end", n: n + 1 }));
        const second = await ctx.run(work, "b");
        return { input, got, first, second };
      },
    );
    const env = environment({ workflows: [order], cacheRuns });
    const run = await env.client.start(order, "in", { id: "source", priority: 3, attributes: { tenant: "t1" } });
    await env.runUntilIdle();
    await run.signal(go, "hello");
    await env.runUntilIdle();
    const before = await exportHistory(env.storage, "source");
    const row = await env.storage.getRun("source");

    const fork = await run.fork({ beforeSeq: await seqOf(run, "SIGNAL_RECEIVED"), id: "fork" });
    expect(fork.runId).toBe("fork");
    expect(await fork.describe()).toMatchObject({
      status: "pending",
      forkedFrom: { runId: "source", seq: 5 },
      version: "1.2.0",
      priority: 3,
      parentRunId: null,
      why: expect.stringContaining('copies the history of run "source" up to seq 5 first') as unknown,
    });
    await env.runUntilIdle();
    expect(await types(fork)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED 1",
      "STATE_SET 2",
      "ATTRIBUTES_SET 3",
      "SIGNAL_AWAITED 4",
      "FORKED",
    ]);
    expect((await fork.history()).at(-1)).toMatchObject({ data: { fromRunId: "source", fromSeq: 5 } });
    expect(await fork.state()).toEqual({ at: "middle", n: 0 });
    expect(await fork.describe()).toMatchObject({
      status: "suspended",
      attributes: { tenant: "t1", tier: "gold" },
      forkedFrom: { runId: "source", seq: 5 },
      waitingFor: [{ what: "signal", name: "go" }],
      why: 'It waits for signal "go".',
    });
    await fork.signal(go, "again");
    await env.runUntilIdle();
    const [output, copied] = [await run.result(), await fork.result()];
    expect(copied).toMatchObject({ input: "in", got: "again", first: output.first });
    expect(copied.second).not.toBe(output.second);
    expect(executed).toEqual(["a1", "b1", "b1"]);
    expect(await exportHistory(env.storage, "source")).toEqual(before);
    expect(await env.storage.getRun("source")).toEqual(row);
  });

  it("without a place takes over all but the end", async () => {
    let mended = false;
    const broken = workflow({ name: "broken" }, async (ctx) => {
      const got = await ctx.run("once", () => "once");
      if (!mended) throw new TypeError("a bug");
      return `${got}, mended`;
    });
    const env = environment({ workflows: [broken], cacheRuns, replays: false });
    const run = await env.client.start(broken, undefined);
    await env.runUntilIdle();
    mended = true;
    const fork = await run.fork();
    await env.runUntilIdle();
    expect(await fork.result()).toBe("once, mended");
    expect(await types(fork)).toEqual(["WORKFLOW_STARTED", "ACTIVITY_COMPLETED 1", "FORKED", "WORKFLOW_COMPLETED"]);
  });

  it("of an open run goes its own way beside it", async () => {
    const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    const fork = await run.fork();
    await env.runUntilIdle();
    await run.signal(go, "one");
    await fork.signal(go, "two");
    await env.runUntilIdle();
    expect([await run.result(), await fork.result()]).toEqual(["one", "two"]);
  });

  it("takes messages that came before its history did, and cleans up when it is cancelled first", async () => {
    const undone: string[] = [];
    const saga = workflow({ name: "saga" }, async (ctx) => {
      await ctx.run("book", () => "booked");
      try {
        return await ctx.waitFor(go);
      } finally {
        if (ctx.cancelled) await ctx.run("undo", () => undone.push(ctx.runId));
      }
    });
    const env = environment({ workflows: [saga], cacheRuns });
    const run = await env.client.start(saga, undefined);
    await env.runUntilIdle();
    const told = await run.fork();
    await told.signal(go, "early");
    const cancelled = await run.fork();
    await cancelled.cancel({ reason: "no" });
    const ended = await run.fork();
    await ended.terminate();
    await env.runUntilIdle();
    expect(await told.result()).toBe("early");
    await expect(cancelled.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "no" });
    expect(undone).toEqual([cancelled.runId]);
    expect(await types(ended)).toEqual(["WORKFLOW_STARTED", "WORKFLOW_CANCELLED"]);
    await run.terminate();
  });

  it("fails as run-not-found when its source was purged before the copy", async () => {
    const once = workflow({ name: "once" }, async (ctx) => ctx.run("once", () => "once"));
    const other = workflow({ name: "other" }, async () => null);
    const clock = virtualClock();
    const storage = memory({ clock });
    const env = environment({ workflows: [once], cacheRuns, storage, clock });
    const idle = environment({ workflows: [other], cacheRuns, storage, clock, seed: "idle" });
    const run = await env.client.start(once, undefined, { id: "source" });
    await env.runUntilIdle();
    const fork = await run.fork({ id: "fork" });
    await idle.skip("1d");
    expect(await env.client.purge({ closedBefore: new Date(clock.now()) })).toBe(1);
    // Another run that has the id is not the source.
    await env.client.start(once, undefined, { id: "source" });
    await env.runUntilIdle();
    await expect(fork.result()).rejects.toMatchObject({
      failure: { code: "run-not-found", message: expect.stringContaining('Run "source"') as unknown },
    });
    await expect(fork.retry()).rejects.toMatchObject({ code: "nothing-to-retry" });
    await expect(fork.fork()).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

describe("a fork before a step", () => {
  /** A run of the steps a, b and a again, as its worker would have recorded it. */
  async function stepped(env: TestedEnvironment): Promise<RunHandle> {
    const run = await env.client.start(
      workflow({ name: "stepped" }, async () => null),
      null,
      { id: "stepped" },
    );
    const { claim } = await claimById(env.storage, workflowTaskId("stepped", run.incarnation!));
    const events = ["a", "b", "a"].flatMap((step, at) =>
      (["STEP_STARTED", "STEP_COMPLETED"] as const).map((type, second) => ({
        type,
        command: 2 * at + second + 1,
        at: env.clock.now(),
        data: JSON.stringify({ step }),
      })),
    );
    const end = {
      type: "WORKFLOW_FAILED",
      command: null,
      at: env.clock.now(),
      data: '{"failure":{"name":"E","message":"m"}}',
    };
    const close = { status: "failed", failure: jsonCodec.encode({ name: "E", message: "m" }) } as const;
    await commit(env.storage, workflowCommit(claim, { events: [...events, end], close, next: { do: "done" } }));
    return run;
  }

  it("leaves its source right before the step began for the first time", async () => {
    const env = environment({ workflows: [], replays: false });
    const run = await stepped(env);
    for (const [beforeStep, seq] of [
      ["a", 1],
      ["b", 3],
    ] as const) {
      const fork = await run.fork({ beforeStep });
      expect((await fork.describe()).forkedFrom).toEqual({ runId: "stepped", seq });
    }
    await expect(run.fork({ beforeStep: "c" })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('has not begun a step "c": its history has the steps "a", "b"') as unknown,
    });
    await expect(run.fork({ beforeStep: "a", beforeSeq: 3 })).rejects.toMatchObject({ code: "invalid-argument" });
    for (const beforeSeq of [0, 1, -1, 10, 2.5, Number.NaN, "3" as never])
      await expect(run.fork({ beforeSeq })).rejects.toMatchObject({ code: "invalid-argument" });
    // The end is left out whatever is asked for.
    expect((await (await run.fork({ beforeSeq: 9 })).describe()).forkedFrom?.seq).toBe(7);
  });

  it("of a run that is not there is refused", async () => {
    const env = environment({ workflows: [] });
    for (const verb of ["fork", "retry"] as const)
      await expect(env.client.handle("nobody")[verb]()).rejects.toMatchObject({ code: "run-not-found" });
  });

  it("is another run for another place, and the same for the same id and place", async () => {
    const env = environment({ workflows: [], replays: false });
    const run = await stepped(env);
    const forks = await Promise.all(Array.from({ length: 50 }, () => run.retry({ id: "again" })));
    expect(new Set(forks.map(({ incarnation }) => incarnation)).size).toBe(1);
    const keyed = await run.fork({ beforeStep: "b", idempotencyKey: "k" });
    expect((await run.fork({ beforeStep: "b", idempotencyKey: "k" })).runId).toBe(keyed.runId);
    for (const options of [{ id: "again" }, { idempotencyKey: "k" }])
      await expect(run.fork({ beforeStep: "a", ...options })).rejects.toMatchObject({ code: "run-exists" });
    expect((await run.retry()).runId).not.toBe((await run.retry()).runId);
    await expect(run.retry({ id: "a", idempotencyKey: "b" })).rejects.toMatchObject({ code: "invalid-argument" });
    const moved = await run.fork({ queue: "gpu", priority: -9, attributes: { a: 1 }, timeout: "1h" });
    expect(await moved.describe()).toMatchObject({
      queue: "gpu",
      priority: -9,
      attributes: { a: 1 },
      deadlineAt: new Date(env.clock.now() + 3_600_000),
    });
    await expect(run.fork({ priority: 10 })).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
