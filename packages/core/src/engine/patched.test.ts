import { describe, expect, it } from "vitest";
import { code, drive, Driven, replayPrefixes, STARTED_AT } from "../../test/execution.ts";
import { typesOf } from "../../test/types.ts";
import type { WorkflowContext } from "../define/context.ts";
import { signal } from "../define/signal.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import type { StoredEvent } from "../storage/event.ts";

const go = signal<string>("go");

const old = code(async (ctx) => {
  await ctx.sleep("1h");
  await ctx.run("old", () => null);
  await ctx.sleep("1h");
  return "old";
});
const withPatch = code(async (ctx) => {
  await ctx.sleep("1h");
  const isNew = ctx.patched("tax");
  await ctx.run(isNew ? "new" : "old", () => null);
  await ctx.sleep("1h");
  return isNew ? "new" : "old";
});
const withoutOld = code(async (ctx) => {
  await ctx.sleep("1h");
  ctx.deprecatePatch("tax");
  await ctx.run("new", () => null);
  await ctx.sleep("1h");
  return "new";
});
const withoutPatch = code(async (ctx) => {
  await ctx.sleep("1h");
  await ctx.run("new", () => null);
  await ctx.sleep("1h");
  return "new";
});

const HOUR = 3_600_000;

/** Drives such code until the second timer runs. */
async function recorded(definition: AnyWorkflow, activity: number): Promise<Driven> {
  const run = await drive(definition);
  run.clock.now += HOUR;
  await run.execution.fireTimers(run.clock.now);
  await run.complete(activity, null);
  run.take();
  return run;
}

async function cold(definition: AnyWorkflow, history: readonly StoredEvent[]): Promise<Driven> {
  const run = await new Driven(definition).replay(history);
  run.clock.now = STARTED_AT + HOUR;
  return run;
}

/** Goes on to the end, where the run answers which code it has run. */
async function finish(run: Driven): Promise<unknown> {
  expect(run.execution.broken).toBeNull();
  for (let rounds = 0; run.execution.ending === null && rounds < 5; rounds++) {
    run.clock.now += HOUR;
    await run.execution.fireTimers(run.clock.now);
    for (const { command } of run.execution.open.activities.values()) await run.complete(command, null);
  }
  run.take();
  return run.output;
}

describe("ctx.patched", () => {
  it("is true, and recorded once, in a run that comes there with the new code", async () => {
    const run = await recorded(withPatch, 3);
    expect(typesOf(run.history)).toEqual([
      "WORKFLOW_STARTED",
      "TIMER_STARTED 1",
      "TIMER_FIRED 1",
      "VERSION_MARKED 2",
      "ACTIVITY_COMPLETED 3",
      "TIMER_STARTED 4",
    ]);
    expect(JSON.parse(run.history[3]!.data)).toEqual({ id: "tax" });
    expect(await finish(run)).toBe("new");
    await replayPrefixes(withPatch, run);
  });

  it("is false, and takes no number, in a run that was past it: old histories replay unchanged", async () => {
    const run = await recorded(old, 2);
    const before = typesOf(run.history);
    const deployed = await cold(withPatch, run.history);
    expect(deployed.take()).toEqual([]);
    expect(typesOf(deployed.history)).toEqual(before);
    expect(await finish(deployed)).toBe("old");
    // History has grown: the answer stays.
    expect(await finish(await cold(withPatch, deployed.history))).toBe("old");
    expect(await finish(await cold(old, deployed.history))).toBe("old");
  });

  it("is true in an old run that had not come there", async () => {
    const run = await drive(old);
    run.take();
    const deployed = await cold(withPatch, run.history);
    expect(await finish(deployed)).toBe("new");
    expect(typesOf(deployed.history)).toContain("VERSION_MARKED 2");
    await replayPrefixes(withPatch, deployed);
  });

  it("is the same in a run that is kept in memory as in one that is replayed, when another worker has gone on with old code", async () => {
    const parked = await drive(old);
    parked.take();
    const kept = await cold(withPatch, parked.history);
    const elsewhere = await cold(old, parked.history);
    elsewhere.clock.now += HOUR;
    await elsewhere.execution.fireTimers(elsewhere.clock.now);
    await elsewhere.complete(2, null);
    elsewhere.take();
    await kept.replay(elsewhere.history.slice(parked.history.length));
    expect(kept.take()).toEqual([]);
    expect(await finish(kept)).toBe("old");
    expect(await finish(await cold(withPatch, elsewhere.history))).toBe("old");
  });

  it("answers the same for each call with one id, and keeps ids apart", async () => {
    const asks = code(async (ctx) => {
      const first = [ctx.patched("a"), ctx.patched("b"), ctx.patched("a")];
      await ctx.sleep("1h");
      return [...first, ctx.patched("a"), ctx.patched("c")];
    });
    const run = await drive(asks);
    expect(run.take()).toEqual(["VERSION_MARKED 1", "VERSION_MARKED 2", "TIMER_STARTED 3"]);
    expect(await finish(run)).toEqual([true, true, true, true, true]);
    await replayPrefixes(asks, run);

    const before = await drive(code((ctx) => ctx.sleep("1h")));
    before.take();
    const deployed = await cold(asks, before.history);
    // A new id may still be true in a run that has answered false for others.
    expect(await finish(deployed)).toEqual([false, false, false, false, true]);
    expect(await finish(await cold(asks, deployed.history))).toEqual([false, false, false, false, true]);
  });

  it("finds the mark of an older patch behind a newer one", async () => {
    const one = code(async (ctx) => {
      const isNew = ctx.patched("one");
      await ctx.sleep("1h");
      return isNew;
    });
    const two = code(async (ctx) => {
      const both = [ctx.patched("two"), ctx.patched("one")];
      await ctx.sleep("1h");
      return both;
    });
    const run = await drive(one);
    run.take();
    expect(await finish(await cold(two, run.history))).toEqual([false, true]);
  });

  it("counts what other branches have recorded as past only where it comes after (I14)", async () => {
    const branches = (patch: boolean): AnyWorkflow =>
      code((ctx) =>
        Promise.all([
          (async () => {
            await ctx.waitFor(go);
            return patch && ctx.patched("late");
          })(),
          (async () => {
            for (let times = 0; times < 3; times++) await ctx.sleep("1h");
            return patch && ctx.patched("early");
          })(),
        ]),
      );
    const run = await drive(branches(false));
    for (let times = 1; times <= 2; times++) {
      run.clock.now += HOUR;
      await run.execution.fireTimers(run.clock.now);
    }
    run.take();
    const deployed = await cold(branches(true), run.history);
    await deployed.signal("go", "now");
    expect(await finish(deployed)).toEqual([true, true]);
    expect(await finish(await cold(branches(true), deployed.history))).toEqual([true, true]);
  });

  it("is false where history has only what came after the next command, which is under way", async () => {
    const definition = (patch: boolean): AnyWorkflow =>
      code(async (ctx) => {
        const isNew = patch && ctx.patched("tax");
        const charged = ctx.run(isNew ? "new" : "old", () => null);
        await ctx.sleep("1h");
        await charged;
        return isNew;
      });
    const run = await drive(definition(false));
    expect(run.take()).toEqual(["TIMER_STARTED 2"]);
    expect(await finish(await cold(definition(true), run.history))).toBe(false);
  });

  it("is true where the old code had asked only for what is not recorded, such as an activity that was under way", async () => {
    const run = await drive(old);
    run.clock.now += HOUR;
    await run.execution.fireTimers(run.clock.now);
    run.take();
    const deployed = await cold(withPatch, run.history);
    expect(deployed.take()).toEqual(["VERSION_MARKED 2"]);
    expect(await finish(deployed)).toBe("new");
  });

  it("of a bad id is refused", async () => {
    const run = await drive(code(async (ctx) => ctx.patched("")));
    expect(run.execution.ending?.status).toBe("failed");
  });

  it("does not answer code that waits for what is not durable", async () => {
    let resolve = (): void => {};
    const run = await drive(
      code(async (ctx) => {
        await new Promise<void>((done) => {
          resolve = done;
        });
        return ctx.patched("tax");
      }),
    );
    resolve();
    await run.execution.environment.settle();
    expect(run.execution.broken?.code).toBe("non-durable-await");
  });
});

describe("a patch that is removed", () => {
  it("too early: code that knows nothing of it breaks, and says what history has", async () => {
    for (const definition of [old, withoutPatch]) {
      const run = await recorded(withPatch, 3);
      const { execution } = await cold(definition, run.history);
      expect(execution.broken?.message).toMatch(
        /at seq 4 history has VERSION_MARKED "tax" as command 2, but the code asked for ACTIVITY_SCHEDULED "(old|new)"/,
      );
    }
  });

  it("is deprecated first: its mark is taken, runs without one are new", async () => {
    const marked = await recorded(withPatch, 3);
    expect(await finish(await cold(withoutOld, marked.history))).toBe("new");

    const run = await recorded(withoutOld, 3);
    expect(typesOf(run.history)).toContain("VERSION_MARKED 2");
    expect(JSON.parse(run.history[3]!.data)).toEqual({ id: "tax", deprecated: true });
    // Workers of the deploy before have it too.
    expect(await finish(await cold(withPatch, run.history))).toBe("new");
    expect(await finish(run)).toBe("new");
    await replayPrefixes(withoutOld, run);
  });

  it("then removed: code without it passes over deprecated marks, wherever history ends", async () => {
    const run = await recorded(withoutOld, 3);
    await finish(run);
    for (let length = 1; length <= run.history.length; length++)
      expect(await finish(await cold(withoutPatch, run.history.slice(0, length)))).toBe("new");
    // And workers of the deploy before go on with runs of the code without it.
    const later = await recorded(withoutPatch, 2);
    expect(await finish(await cold(withoutOld, later.history))).toBe("new");
  });

  it("of a later turn is there for code of the deploy before, which asks for it then", async () => {
    const thrice = (mark: (ctx: WorkflowContext, id: string) => boolean): AnyWorkflow =>
      code(async (ctx) => {
        const after = async (hours: number, id: string): Promise<boolean> => {
          await ctx.sleep(hours * HOUR);
          return mark(ctx, id);
        };
        const answers = await Promise.all([after(1, "a"), after(2, "b"), after(3, "c")]);
        await ctx.waitFor(go);
        return answers;
      });
    const deprecated = thrice((ctx, id) => {
      ctx.deprecatePatch(id);
      return true;
    });
    const run = await drive(deprecated);
    for (let hours = 1; hours <= 3; hours++) {
      run.clock.now = STARTED_AT + hours * HOUR;
      await run.execution.fireTimers(run.clock.now);
    }
    run.take();
    for (const definition of [deprecated, thrice((ctx, id) => ctx.patched(id))]) {
      const taken = await cold(definition, run.history);
      expect(taken.take()).toEqual([]);
      await taken.signal("go", "now");
      expect(taken.output).toEqual([true, true, true]);
    }
  });

  it("leaves its number behind when its mark is the last that history has", async () => {
    const marks = code(async (ctx) => {
      await ctx.sleep("1h");
      ctx.deprecatePatch("a");
      ctx.deprecatePatch("b");
      await ctx.waitFor(go);
      return ctx.patched("a");
    });
    const run = await drive(marks);
    await run.execution.fireTimers(STARTED_AT + HOUR);
    expect(run.take()).toEqual([
      "TIMER_STARTED 1",
      "TIMER_FIRED 1",
      "VERSION_MARKED 2",
      "VERSION_MARKED 3",
      "SIGNAL_AWAITED 4",
    ]);
    const removed = await cold(
      code(async (ctx) => {
        await ctx.sleep("1h");
        ctx.deprecatePatch("b");
        await ctx.waitFor(go);
      }),
      run.history.slice(0, -1),
    );
    expect(removed.take()).toEqual(["SIGNAL_AWAITED 4"]);
    const ended = await cold(
      code(async (ctx) => ctx.sleep("1h")),
      run.history.slice(0, -1),
    );
    expect(ended.execution.broken).toBeNull();
    await run.signal("go", "now");
    expect(run.output).toBe(true);
  });
});
