import { describe, expect, it } from "vitest";
import { code, drive, type Driven, Driven as DrivenExecution, STARTED_AT } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow } from "../define/workflow.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);
const go = signal<string>("go");

describe("code that left its history", () => {
  const recorded = code(async (ctx) => {
    await ctx.run(charge, 1);
    await ctx.sleep("1h");
    await ctx.run("ship", () => null);
  });

  async function recordedHistory(): Promise<Driven> {
    const run = await drive(recorded);
    await run.complete(1, null);
    await run.execution.fireTimers(STARTED_AT + 3_600_000);
    await run.complete(3, null);
    run.take();
    return run;
  }

  const changes: readonly (readonly [what: string, definition: AnyWorkflow, message: RegExp])[] = [
    [
      "swapped two commands",
      code(async (ctx) => {
        await ctx.sleep("1h");
        await ctx.run(charge, 1);
      }),
      /at seq 2 history has ACTIVITY_COMPLETED "charge" as command 1, but the code asked for TIMER_STARTED\. /,
    ],
    [
      "renamed an activity",
      code(async (ctx) => {
        await ctx.run(charge, 1);
        await ctx.sleep("1h");
        await ctx.run("deliver", () => null);
      }),
      /at seq 5 history has ACTIVITY_COMPLETED "ship" as command 3, but the code asked for ACTIVITY_SCHEDULED "deliver"\. /,
    ],
    [
      "dropped a command in the middle",
      code(async (ctx) => {
        await ctx.run(charge, 1);
        await ctx.run("ship", () => null);
      }),
      /at seq 3 history has TIMER_STARTED as command 2, but the code asked for ACTIVITY_SCHEDULED "ship"\. /,
    ],
    [
      "dropped a command at the end",
      code(async (ctx) => {
        await ctx.run(charge, 1);
        await ctx.sleep("1h");
      }),
      /at seq 5 history has ACTIVITY_COMPLETED "ship" as command 3, but the code had already ended\. /,
    ],
    [
      "waits for something else at the end",
      code(async (ctx) => {
        await ctx.run(charge, 1);
        await Promise.all([ctx.sleep("1h"), ctx.sleep("2h")]);
      }),
      /at seq 5 history has ACTIVITY_COMPLETED "ship" as command 3, but the code asked for TIMER_STARTED/,
    ],
    [
      "put a command in between",
      code(async (ctx) => {
        await ctx.run(charge, 1);
        ctx.attributes.set({ step: 1 });
        await ctx.sleep("1h");
        await ctx.run("ship", () => null);
      }),
      /at seq 3 history has TIMER_STARTED as command 2, but the code asked for ATTRIBUTES_SET\. /,
    ],
    [
      "waits for what is not durable",
      code(async (ctx) => {
        await ctx.run(charge, 1);
        await new Promise(() => {});
      }),
      /awaits something that Perdure does not record/,
    ],
  ];
  it.each(changes)("breaks with both sides named: %s", async (_, definition, message) => {
    const { history } = await recordedHistory();
    const { execution } = await new DrivenExecution(definition).replay(history);
    expect(execution.broken?.message).toMatch(message);
    expect(execution.broken?.message).toContain('Run "run-1" of workflow "code"');
    expect(execution.broken?.details).toMatchObject({ runId: "run-1" });
  });

  it("breaks when history goes on without what the code asks for and would have been recorded", async () => {
    const waited = code(async (ctx) => {
      await ctx.sleep(1);
      await ctx.waitFor(go);
      await ctx.sleep(1);
    });
    const run = await drive(waited);
    await run.signal("go", "buffered");
    await run.execution.fireTimers(STARTED_AT + 1);
    run.take();
    const changed = code(async (ctx) => {
      await ctx.sleep(1);
      ctx.attributes.set({ a: 1 });
      await ctx.sleep(1);
    });
    const { execution } = await new DrivenExecution(changed).replay(run.history);
    expect(execution.broken?.message).toContain(
      "history has nothing as command 2, but the code asked for ATTRIBUTES_SET",
    );
    expect(execution.fresh).toEqual([]);
  });

  it("stands still: it gets no answer any more, and nothing is recorded", async () => {
    const seen: string[] = [];
    const definition = code(async (ctx) => {
      try {
        await ctx.sleep("1h");
        seen.push("slept");
      } catch {
        seen.push("caught");
      } finally {
        seen.push("finally");
      }
    });
    const { history } = await recordedHistory();
    const { execution } = await new DrivenExecution(definition).replay(history);
    expect(execution.broken?.code).toBe("determinism");
    expect(execution.fresh).toEqual([]);
    expect(seen).toEqual([]);
  });

  it("finds out when code that is kept in memory gets events that others have written", async () => {
    const live = await drive(code((ctx) => ctx.run("charge", () => null)));
    const { history } = await recordedHistory();
    await live.execution.replay(history.slice(1));
    expect(live.execution.broken?.message).toContain(
      "history has TIMER_STARTED as command 2, but the code had already ended",
    );
  });

  it("may ask for more at the end", async () => {
    const { history } = await recordedHistory();
    const longer = code(async (ctx) => {
      await ctx.run(charge, 1);
      await ctx.sleep("1h");
      await ctx.run("ship", () => null);
      await ctx.sleep("1d");
    });
    const cold = await new DrivenExecution(longer).replay(history);
    expect(cold.execution.broken).toBeNull();
    expect(cold.take()).toEqual(["TIMER_STARTED 4"]);
  });
});

describe("code that waits for what is not durable", () => {
  it("is stuck when nothing durable is open", async () => {
    const run = await drive(code(() => new Promise((resolve) => void setTimeout(resolve, 1))));
    expect(run.execution.stuck).toBe(true);
    run.execution.breakAsStuck();
    expect(run.execution.broken?.code).toBe("non-durable-await");
  });

  it("is broken when it asks for something after such a wait", async () => {
    const run = await drive(
      code((ctx) =>
        Promise.all([
          ctx.sleep("1h"),
          (async () => {
            await new Promise((resolve) => void setTimeout(resolve, 1));
            await ctx.run(charge, 1);
          })(),
        ]),
      ),
    );
    expect(run.execution.broken).toBeNull();
    await new Promise((resolve) => void setTimeout(resolve, 10));
    expect(run.execution.broken?.code).toBe("non-durable-await");
    expect(run.execution.open.activities.size).toBe(0);
  });

  it("is broken when it ends after such a wait", async () => {
    const run = await drive(
      code((ctx) => Promise.race([ctx.sleep("1h"), new Promise((resolve) => void setTimeout(resolve, 1))])),
    );
    await new Promise((resolve) => void setTimeout(resolve, 10));
    expect(run.execution.broken?.code).toBe("non-durable-await");
    expect(run.execution.ending).toBeNull();
  });
});
