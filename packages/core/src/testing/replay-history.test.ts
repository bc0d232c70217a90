import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { type ExportedHistory, exportHistory } from "./export-history.ts";
import { replayHistory } from "./replay-history.ts";

const charge = activity({ name: "charge" }, async (amount: number) => ({ receipt: `r-${amount}` }));
const approved = signal<string>("approved");

const pay = workflow({ name: "pay", version: "3", state: { initial: { paid: 0 } } }, async (ctx, amount: number) => {
  const [{ receipt }] = await Promise.all([ctx.run(charge, amount), ctx.sleep("1h")]);
  ctx.state.set("paid", amount);
  const by = await ctx.waitFor(approved, { timeout: "1d" });
  return { receipt, by };
});

async function history(definition: AnyWorkflow, input: unknown, until: "end" | "wait"): Promise<ExportedHistory> {
  const env = environment({ workflows: [definition] });
  const run = await env.client.start(definition, input);
  await env.skip("1h");
  if (until === "end") {
    if ((await run.status()) !== "completed") await run.signal(approved, "ada");
    await env.runUntilIdle();
    await run.result();
  }
  // What is kept in a file comes back like this.
  return JSON.parse(JSON.stringify(await exportHistory(env.storage, run.runId))) as ExportedHistory;
}

describe("exportHistory", () => {
  it("answers the header and all events as JSON", async () => {
    const { header, events } = await history(pay, 7, "end");
    expect(header).toMatchObject({ workflow: "pay", version: "3", input: "7", baseSeq: 0, parent: null });
    expect(events.map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "TIMER_STARTED",
      "ACTIVITY_COMPLETED",
      "TIMER_FIRED",
      "STATE_SET",
      "SIGNAL_AWAITED",
      "SIGNAL_RECEIVED",
      "WORKFLOW_COMPLETED",
    ]);
  });

  it("refuses a run that is not there", async () => {
    const env = environment({ workflows: [] });
    await expect(exportHistory(env.storage, "nobody")).rejects.toMatchObject({ code: "run-not-found" });
  });
});

describe("replayHistory", () => {
  it("knows that code which has ended, or continued as new, had not what a patch adds at its end", async () => {
    const notify = (version: number) =>
      workflow({ name: "notify" }, async (ctx, n: number): Promise<number> => {
        await ctx.run("work", () => n);
        if (version === 2 && ctx.patched("notify")) await ctx.run("notify", () => null);
        if (version === 3) ctx.deprecatePatch("notify");
        return n === 1 ? n : ctx.continueAsNew(1);
      });
    const exported = await history(notify(1), 0, "end");
    for (const version of [2, 3]) {
      const { commands } = await replayHistory(notify(version), exported, { prefixes: true });
      expect(commands).toEqual([{ number: 1, type: "ACTIVITY_SCHEDULED", name: "work" }]);
    }
    await replayHistory(notify(2), await history(notify(2), 0, "end"), { prefixes: true });
  });

  it("answers what the code asks for, and how it ends (I14)", async () => {
    const replay = await replayHistory(pay, await history(pay, 7, "end"), { prefixes: true });
    expect(replay).toEqual({
      status: "completed",
      commands: [
        { number: 1, type: "ACTIVITY_SCHEDULED", name: "charge" },
        { number: 2, type: "TIMER_STARTED", name: "" },
        { number: 3, type: "STATE_SET", name: "paid" },
        { number: 4, type: "SIGNAL_AWAITED", name: "approved" },
      ],
    });
  });

  it("replays an open run", async () => {
    const replay = await replayHistory(pay, await history(pay, 7, "wait"));
    expect(replay.status).toBe("open");
  });

  const changed: readonly (readonly [what: string, definition: AnyWorkflow, message: string])[] = [
    [
      "a renamed activity",
      workflow({ name: "pay" }, async (ctx, amount: number) => {
        await ctx.run("bill", () => amount);
      }),
      'history has ACTIVITY_COMPLETED "charge" as command 1, but the code asked for ACTIVITY_SCHEDULED "bill"',
    ],
    [
      "another kind of command",
      workflow({ name: "pay" }, (ctx) => ctx.sleep("1h")),
      'history has ACTIVITY_COMPLETED "charge" as command 1, but the code asked for TIMER_STARTED',
    ],
    ["no command", workflow({ name: "pay" }, async () => {}), "but the code had already ended"],
    [
      "a missing command",
      workflow({ name: "pay" }, async (ctx, amount: number) => {
        await ctx.run(charge, amount);
        await ctx.waitFor(approved);
      }),
      "history has TIMER_STARTED as command 2, but the code did not ask for it",
    ],
    [
      "another output",
      workflow({ name: "pay" }, async (ctx, amount: number) => {
        await Promise.all([ctx.run(charge, amount), ctx.sleep("1h")]);
        (ctx.state as { set(key: string, value: unknown): void }).set("paid", amount);
        await ctx.waitFor(approved);
        return "thanks";
      }),
      "ends as completed with another output",
    ],
    [
      "another end",
      workflow({ name: "pay" }, async (ctx, amount: number) => {
        await Promise.all([ctx.run(charge, amount), ctx.sleep("1h")]);
        (ctx.state as { set(key: string, value: unknown): void }).set("paid", amount);
        await ctx.waitFor(approved);
        throw new Error("no");
      }),
      "at seq 8 history ends with WORKFLOW_COMPLETED, but the code ends as failed",
    ],
  ];
  it.each(changed)("refuses code with %s, naming both sides", async (_, definition, message) => {
    const exported = await history(pay, 7, "end");
    await expect(replayHistory(definition, exported)).rejects.toMatchObject({
      code: "determinism",
      message: expect.stringContaining(message) as unknown,
    });
  });

  it("refuses code that waits for what is not durable", async () => {
    const bare = workflow({ name: "pay" }, () => new Promise<void>(() => {}));
    const exported = await history(pay, 7, "wait");
    await expect(replayHistory(bare, exported)).rejects.toMatchObject({ code: "non-durable-await" });
  });

  it("finds code that asks for something else in a prefix than in the whole history (I14)", async () => {
    let calls = 0;
    const whimsical = workflow({ name: "whimsical" }, async (ctx) => {
      await ctx.run("same", () => 1);
      await ctx.run(calls++ % 2 === 0 ? "even" : "odd", () => 2);
      return "done";
    });
    const env = environment({ workflows: [whimsical], replays: false });
    const run = await env.client.start(whimsical, undefined);
    await env.runUntilIdle();
    const exported = await exportHistory(env.storage, run.runId);
    calls = 0;
    await expect(replayHistory(whimsical, exported, { prefixes: true })).rejects.toMatchObject({
      code: "determinism",
      message: expect.stringContaining('"odd" as command 2') as unknown,
    });
  });

  it("finds an input that differs from replay to replay (I14)", async () => {
    const flaky = activity({ name: "flaky" }, async (input: number, { attempt }) => {
      if (attempt === 1) throw new Error("no");
      return input;
    });
    let calls = 0;
    const whimsical = workflow({ name: "whimsical" }, (ctx) => ctx.run(flaky, calls++));
    const env = environment({ workflows: [whimsical], replays: false });
    const run = await env.client.start(whimsical, undefined);
    await env.skip("1h");
    calls = 0;
    const exported = await exportHistory(env.storage, run.runId);
    await expect(replayHistory(whimsical, exported, { prefixes: true })).rejects.toMatchObject({
      code: "determinism",
      message: expect.stringContaining(
        "asked for command 1 with 2, in the whole history it is command 1 with 1",
      ) as unknown,
    });
  });

  it("takes a side effect that is not recorded yet as chance", async () => {
    const lucky = workflow({ name: "lucky" }, async (ctx) => {
      await ctx.sleep("1h");
      const drawn = ctx.sideEffect("draw", () => performance.now());
      await ctx.run(`take ${drawn}`, () => drawn);
    });
    const env = environment({ workflows: [lucky], replays: false });
    const run = await env.client.start(lucky, undefined);
    await env.skip("1h");
    const exported = await exportHistory(env.storage, run.runId);
    await expect(replayHistory(lucky, exported, { prefixes: true })).resolves.toMatchObject({ status: "completed" });
  });

  it("refuses the history of another workflow", async () => {
    const exported = await history(pay, 7, "wait");
    const other = workflow({ name: "other" }, async () => {});
    await expect(replayHistory(other, exported)).rejects.toMatchObject({ code: "unknown-workflow" });
  });
});
