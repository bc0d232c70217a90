import { describe, expect, it } from "vitest";
import { CACHES, environment, type TestedEnvironment } from "../../test/environment.ts";
import { claimOne, commit, workflowCommit } from "../../test/port.ts";
import type { RunHandle } from "../client/handle.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import { type TaskId, workflowTaskId } from "../model/ids.ts";
import type { ClaimedTask, StorageBackend } from "../storage.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import { exportHistory } from "../testing.ts";

const go = signal<string>("go");

async function types(run: RunHandle): Promise<readonly string[]> {
  return (await run.history()).map(({ type, command }) => (command === null ? type : `${type} ${command}`));
}

/** The seq of the first event of a type. */
async function seqOf(run: RunHandle, type: string): Promise<number> {
  return (await run.history()).find((event) => event.type === type)!.seq;
}

/** Claims like a worker that then does what the test says. */
function claimById(storage: StorageBackend, taskId: TaskId): Promise<ClaimedTask> {
  return claimOne(storage, { taskIds: [taskId] });
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

  it("issues activities without an outcome anew, from the first attempt, and keeps those that have one", async () => {
    const attempts: string[] = [];
    let isUp = false;
    const flaky = workflow({ name: "flaky" }, async (ctx) => {
      const steady = ctx.run("steady", ({ attempt }) => attempts.push(`steady${attempt}`));
      const shaky = ctx.run(
        "shaky",
        ({ attempt }) => {
          attempts.push(`shaky${attempt}`);
          if (!isUp) throw new Error("down");
          return "up";
        },
        { retry: { delay: "1h", jitter: 0, maximumAttempts: 3 } },
      );
      await steady;
      return shaky;
    });
    const env = environment({ workflows: [flaky], cacheRuns });
    const run = await env.client.start(flaky, undefined);
    await env.skip("1h");
    expect((await types(run)).filter((type) => type === "ACTIVITY_RETRYING 2")).toHaveLength(2);
    isUp = true;
    const fork = await run.fork();
    await env.runUntilIdle();
    expect(await fork.result()).toBe("up");
    expect(attempts).toEqual(["steady1", "shaky1", "shaky2", "shaky1"]);
    expect(await types(fork)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_COMPLETED 1",
      "FORKED",
      "ACTIVITY_COMPLETED 2",
      "WORKFLOW_COMPLETED",
    ]);
  });

  it("of an activity with a large input or a long run, whose SCHEDULED is recorded, too", async () => {
    const input = "x".repeat(100_000);
    let calls = 0;
    const large = activity({ name: "large" }, async (text: string, { signal: aborted }) => {
      if (++calls > 1) return text.length;
      return new Promise<number>((_, reject) => {
        aborted.addEventListener("abort", () => reject(new Error("aborted")));
      });
    });
    const main = workflow({ name: "main" }, async (ctx) => {
      const timer = ctx.sleep("1d");
      const length = await ctx.run(large, input);
      await timer;
      return length;
    });
    const env = environment({ workflows: [main], cacheRuns, replays: false });
    const run = await env.client.start(main, undefined);
    await env.skip("1s");
    expect(await types(run)).toContain("ACTIVITY_SCHEDULED 2");
    const fork = await run.fork();
    await env.skip("1s");
    expect((await fork.history()).find(({ type }) => type === "ACTIVITY_COMPLETED")?.data).toMatchObject({
      attempt: 1,
      output: 100_000,
    });
    await run.terminate();
    await env.skip("1d");
    expect(await fork.result()).toBe(100_000);
  });

  it("keeps the time of its timers and of its patience", async () => {
    const slow = workflow({ name: "slow" }, async (ctx) => {
      const patience = ctx.waitFor(go, { timeout: "2h" }).catch(() => "nobody");
      await ctx.sleep("1h");
      return [await patience, ctx.now()] as const;
    });
    const env = environment({ workflows: [slow], cacheRuns });
    const startedAt = env.clock.now();
    const run = await env.client.start(slow, undefined);
    await env.skip("30m");
    const soon = await run.fork();
    await env.skip("30m");
    expect(await types(soon)).toEqual([
      "WORKFLOW_STARTED",
      "SIGNAL_AWAITED 1",
      "TIMER_STARTED 2",
      "FORKED",
      "TIMER_FIRED 2",
    ]);
    await env.skip("5h");
    expect(await soon.result()).toEqual(["nobody", new Date(startedAt + 7_200_000)]);
    const late = await run.fork({ beforeSeq: 4 });
    await env.runUntilIdle();
    expect(await late.result()).toEqual(["nobody", new Date(startedAt + 23_400_000 - 1_800_000)]);
  });

  it("starts children without an outcome anew, under names of its own, told again what they were told", async () => {
    const started: string[] = [];
    const kid = workflow({ name: "kid", state: { initial: { hello: 1 } } }, async (ctx, n: number) => {
      started.push(ctx.runId);
      const got = [await ctx.waitFor(go), await ctx.waitFor(go)];
      await ctx.sleep("1h");
      return [n, ...got] as const;
    });
    const quick = workflow({ name: "quick" }, async () => "quick");
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const done = await ctx.child(quick, undefined, { id: "quick-1" });
      const child = ctx.child(kid, 7, { id: "kid-1" });
      await child.signal(go, "one");
      await child.signal(go, "two");
      return [done, child.runId, await child] as const;
    });
    const env = environment({ workflows: [parent, kid, quick], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    const fork = await run.fork();
    await env.skip("1h");
    expect(await run.result()).toEqual(["quick", "kid-1", [7, "one", "two"]]);
    const [done, childId, output] = await fork.result();
    expect([done, output]).toEqual(["quick", [7, "one", "two"]]);
    expect(childId).toMatch(/^child-/u);
    expect(new Set(started)).toEqual(new Set(["kid-1", childId]));
    expect((await env.client.handle(childId).describe()).parentRunId).toBe(fork.runId);
    expect((await env.client.list({ workflow: "quick" })).runs).toHaveLength(1);
  });

  it("tells its own child, not its source's, what was sent by the child's id", async () => {
    const kid = workflow({ name: "kid" }, async (ctx) => [await ctx.waitFor(go), await ctx.waitFor(go)]);
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(kid, undefined);
      await ctx.signal(child.runId, go, "one");
      await ctx.waitFor(go);
      await ctx.signal(child.runId, go, "two");
      return child;
    });
    const env = environment({ workflows: [parent, kid], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    const fork = await run.fork();
    await fork.signal(go, "on");
    await env.runUntilIdle();
    expect(await fork.result()).toEqual(["one", "two"]);
    await run.signal(go, "on");
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["one", "two"]);
  });

  it("sends messages without an outcome anew, and no others", async () => {
    const inbox = workflow({ name: "inbox" }, async (ctx) => {
      const got: string[] = [];
      for await (const text of ctx.signals(go)) {
        got.push(text);
        if (text === "end") return got;
      }
      return got;
    });
    const sender = workflow({ name: "sender" }, async (ctx, to: string) => {
      await ctx.signal(to, go, "first");
      await ctx.signal(to, go, "second");
      return ctx.waitFor(go);
    });
    const env = environment({ workflows: [inbox, sender], cacheRuns });
    const other = await env.client.start(inbox, undefined, { id: "other" });
    const run = await env.client.start(sender, "other");
    await env.runUntilIdle();
    const sent = (await run.history()).filter(({ type }) => type === "SIGNAL_SENT");
    // The second intent is in the prefix, its outcome is not.
    const fork = await run.fork({ beforeSeq: sent[1]!.seq + 1 });
    await env.runUntilIdle();
    await fork.signal(go, "x");
    await other.signal(go, "end");
    await env.runUntilIdle();
    expect(await other.result()).toEqual(["first", "second", "second", "end"]);
    expect(await fork.result()).toBe("x");
  });

  it("repeats what its source drew by chance, and then draws for itself; forks of forks too", async () => {
    const chance = workflow({ name: "chance" }, async (ctx) => {
      const drawn: string[] = [];
      for (let turn = 0; turn < 3; turn++) {
        const name = ctx.random() < 0.5 ? "head" : "tail";
        drawn.push(await ctx.run(`${name}-${ctx.uuid()}`, () => `${turn}`).then(() => ctx.uuid()));
        await ctx.waitFor(go);
      }
      return drawn;
    });
    const env = environment({ workflows: [chance], cacheRuns });
    const run = await env.client.start(chance, undefined);
    await env.runUntilIdle();
    await run.signal(go, "1");
    await env.runUntilIdle();
    const fork = await run.fork();
    await env.runUntilIdle();
    const again = await fork.fork();
    const early = await fork.fork({ beforeSeq: 3 });
    await env.runUntilIdle();
    const twice = await again.fork();
    const runs = [run, fork, again, early, twice];
    for (let turn = 1; turn <= 3; turn++) {
      for (const one of runs) await one.signal(go, "x").catch(() => {});
      await env.runUntilIdle();
    }
    const drawn = (await Promise.all(runs.map((one) => one.result()))) as string[][];
    expect(drawn.map(([first]) => first)).toEqual(runs.map(() => drawn[0]![0]));
    expect(new Set(drawn.map((texts) => texts[2])).size).toBe(runs.length);
    expect((await twice.describe()).forkedFrom?.runId).toBe(again.runId);
    expect((await types(twice)).filter((type) => type === "FORKED")).toHaveLength(3);
  });

  it("sees the clock of its source: code that measures time takes the same branches", async () => {
    const poll = workflow({ name: "poll" }, async (ctx) => {
      const end = ctx.now().getTime() + 3_600_000;
      let polls = 0;
      while (ctx.now().getTime() < end) {
        await ctx.run("poll", () => ++polls);
        await ctx.sleep("20m");
      }
      return ctx.waitFor(go);
    });
    const env = environment({ workflows: [poll], cacheRuns });
    const run = await env.client.start(poll, undefined);
    await env.skip("1d");
    const fork = await run.fork();
    await env.runUntilIdle();
    expect((await fork.describe()).why).toBe('It waits for signal "go".');
    await Promise.all([run, fork].map((one) => one.signal(go, "x")));
    await env.runUntilIdle();
    expect(await fork.result()).toBe("x");
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

  it("counts its time-out from its own start", async () => {
    const wait = workflow({ name: "wait", timeout: "1h" }, (ctx) => ctx.waitFor(go));
    const env = environment({ workflows: [wait], cacheRuns });
    const run = await env.client.start(wait, undefined);
    await env.skip("50m");
    const fork = await run.fork();
    const again = await fork.fork().catch((error: unknown) => error);
    expect(again).toMatchObject({ code: "invalid-argument" });
    await env.runUntilIdle();
    await env.skip("20m");
    const third = await fork.fork();
    expect([await run.status(), await fork.status()]).toEqual(["failed", "suspended"]);
    await env.skip("40m");
    expect([await fork.status(), await third.status()]).toEqual(["failed", "suspended"]);
    const hasty = await run.retry({ timeout: "1m" });
    await env.skip("1m");
    await expect(hasty.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
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
