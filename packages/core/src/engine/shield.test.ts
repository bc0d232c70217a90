import { describe, expect, it } from "vitest";
import { code, drive, Driven, replayPrefixes, STARTED_AT } from "../../test/execution.ts";
import type { WorkflowContext } from "../define/context.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { isPerdureError } from "../errors/index.ts";
import { childCompleted } from "./child-events.ts";

const go = signal<string>("go");
const kid = workflow({ name: "kid" }, async () => "grown");

function isCancelled(error: unknown): string {
  if (!isPerdureError(error, "cancelled")) throw error;
  return "cancelled";
}

/** The run after the steps; replays all that it has recorded, and every prefix of it. */
async function driven(definition: AnyWorkflow, steps: (run: Driven) => Promise<void>): Promise<Driven> {
  const run = await drive(definition);
  await steps(run);
  run.take();
  await replayPrefixes(definition, run);
  const cold = await new Driven(definition).replay(run.history);
  expect(cold.execution.ending).toEqual(run.execution.ending);
  return run;
}

describe("ctx.shield", () => {
  it("answers what its function answers, and throws what it throws", async () => {
    const definition = code(async (ctx) => [
      await ctx.shield(() => "now"),
      await ctx.shield(async () => ctx.run("later", () => null)),
      await ctx
        .shield(() => {
          throw new RangeError("at once");
        })
        .catch((error: unknown) => (error as Error).message),
      await ctx.shield(7 as never).catch((error: unknown) => (error as { code: string }).code),
    ]);
    const run = await driven(definition, (live) => live.complete(1, "done"));
    expect(run.output).toEqual(["now", "done", "at once", "invalid-argument"]);
  });

  it("lets everything inside finish, also what is asked for after awaits; the next wait outside is cancelled", async () => {
    const seen: string[] = [];
    const definition = code(async (ctx) => {
      seen.length = 0;
      const inside = await ctx.shield(async () => {
        const first = await ctx.run("first", () => null);
        await Promise.resolve();
        await ctx.sleep("1h");
        const { cancelled } = ctx;
        const waited = await ctx.waitFor(go);
        return [first, cancelled, waited, await ctx.child(kid, undefined)];
      });
      seen.push("after");
      const outside = await ctx.run("outside", () => null).catch(isCancelled);
      return [inside, outside, await ctx.run("clean up", () => null)];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, "first");
      await live.execution.fireTimers(STARTED_AT + 3_600_000);
      await live.signal("go", "sent");
      expect(seen).toEqual([]);
      await childCompleted(live.execution, 4, '"grown"');
      await live.complete(6, "cleaned");
    });
    expect(run.output).toEqual([["first", true, "sent", "grown"], "cancelled", "cleaned"]);
    expect(seen).toEqual(["after"]);
  });

  it("is told of in CANCEL_REQUESTED: which commands it left alone", async () => {
    const definition = code((ctx) =>
      Promise.all([ctx.sleep("1h"), ctx.shield(() => ctx.sleep("1h")), ctx.shield(() => ctx.waitFor(go))]),
    );
    const run = await driven(definition, (live) => live.execution.cancelReceived("enough"));
    expect(run.history.map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "TIMER_STARTED",
      "TIMER_STARTED",
      "SIGNAL_AWAITED",
      "CANCEL_REQUESTED",
    ]);
    expect(JSON.parse(run.history[4]!.data)).toEqual({ reason: "enough", shielded: [2, 3] });
    expect(run.execution.ending?.status).toBe("cancelled");
  });

  it("protects nothing that was asked for before it", async () => {
    const definition = code(async (ctx) => {
      const before = ctx.run("before", () => null);
      return ctx.shield(() => before).catch(isCancelled);
    });
    const run = await driven(definition, (live) => live.execution.cancelReceived("enough"));
    expect(run.output).toBe("cancelled");
  });

  it("changes nothing about a request that came before it", async () => {
    const definition = code(async (ctx) => {
      const before = ctx.sleep("1h").catch(isCancelled);
      const outcomes = [await before];
      outcomes.push(await ctx.shield(() => ctx.run("clean up", () => "cleaned")));
      outcomes.push(await ctx.run("more", () => "more"));
      return outcomes;
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(2, "cleaned");
      await live.complete(3, "more");
    });
    expect(run.output).toEqual(["cancelled", "cleaned", "more"]);
  });

  it("does not take the error that is owed to the code outside", async () => {
    const definition = code(async (ctx) => {
      await ctx.shield(() => ctx.run("first", () => null));
      const second = await ctx.shield(() => ctx.run("second", () => null));
      return [second, await ctx.sleep("1h").catch(isCancelled), await ctx.run("third", () => null)];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, "first");
      await live.complete(2, "second");
      await live.complete(4, "third");
    });
    expect(run.output).toEqual(["second", "cancelled", "third"]);
  });

  it("within a shield is the outer one", async () => {
    const definition = code(async (ctx) => {
      const inside = await ctx.shield(async () => {
        const nested = await ctx.shield(() => ctx.run("nested", () => null));
        return [nested, await ctx.run("outer", () => null)];
      });
      return [inside, await ctx.sleep("1h").catch(isCancelled)];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, "nested");
      await live.complete(2, "outer");
    });
    expect(run.output).toEqual([["nested", "outer"], "cancelled"]);
  });

  it("is over when the outermost is: until then nobody else is told again", async () => {
    const definition = code(async (ctx) => {
      const ready = Promise.withResolvers<void>();
      const critical = ctx.shield(async () => {
        await ctx.shield(() => ctx.run("nested", () => null));
        ready.resolve();
        return ctx.run("outer", () => null);
      });
      const told = await ctx.sleep("1h").catch(isCancelled);
      await ready.promise;
      return [told, await ctx.run("meanwhile", () => null), await critical];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, "nested");
      await live.complete(3, "outer");
      await live.complete(4, "meanwhile");
    });
    expect(run.output).toEqual(["cancelled", "meanwhile", "outer"]);
  });

  it("interrupts what waits at the same time outside at once, and leaves the clean-up there alone", async () => {
    const definition = code(async (ctx) => {
      const cleaned: unknown[] = [];
      const critical = ctx.shield(() => ctx.run("critical", () => null));
      try {
        await Promise.all([critical, ctx.sleep("1h")]);
      } catch (error) {
        cleaned.push(isCancelled(error), await ctx.run("clean", () => null), await ctx.run("up", () => null));
      }
      return [...cleaned, await critical];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, "critical");
      await live.complete(3, "clean");
      await live.complete(4, "up");
    });
    expect(run.output).toEqual(["cancelled", "clean", "up", "critical"]);
  });

  it("tells the code behind each of several shields, and that behind one while a detached child is open", async () => {
    const definition = code(async (ctx) => {
      void ctx.child(kid, undefined);
      const branch = async (name: string): Promise<unknown> => {
        await ctx.shield(() => ctx.run(name, () => null));
        ctx.state.batch(() => {});
        return ctx.sleep("1h").catch(isCancelled);
      };
      return Promise.all([branch("a"), branch("b")]);
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(2, null);
      await live.complete(3, null);
    });
    expect(run.output).toEqual(["cancelled", "cancelled"]);
  });

  it("tells once who comes out and awaits a child from before: the clean-up runs", async () => {
    const definition = code(async (ctx) => {
      const child = ctx.child(kid, undefined);
      const receipt = await ctx.shield(() => ctx.run("charge", () => null));
      try {
        return await child;
      } catch (error) {
        return [isCancelled(error), await ctx.run("refund", () => receipt)];
      }
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(2, "receipt");
      await live.complete(3, "refunded");
    });
    expect(run.output).toEqual(["cancelled", "refunded"]);
  });

  describe.each<[string, (ctx: WorkflowContext) => void]>([
    ["an activity", (ctx) => void ctx.run("log", () => null)],
    ["a timer, caught", (ctx) => void ctx.sleep("1h").catch(() => {})],
    ["a wait", (ctx) => void ctx.waitFor(go)],
    ["a child", (ctx) => void ctx.child(kid, undefined)],
    ["a message", (ctx) => void ctx.signal("other", go, "hello")],
  ])("a request that came inside is not lost on %s that nobody awaits", (_, ask) => {
    it.each(["at once", "a moment later"])("but tells who waits %s", async (when) => {
      const definition = code(async (ctx) => {
        await ctx.shield(() => ctx.run("inside", () => null));
        ask(ctx);
        if (when === "a moment later") for (let turns = 0; turns < 9; turns++) await Promise.resolve();
        return [await ctx.sleep("1d").catch(isCancelled), await ctx.run("clean up", () => null)];
      });
      const run = await driven(definition, async (live) => {
        await live.execution.cancelReceived("enough");
        await live.complete(1, null);
        await live.complete(4, "cleaned");
      });
      expect(run.output).toEqual(["cancelled", "cleaned"]);
    });
  });

  it("tells every branch of what the code waits for next, and leaves the signal that is there for later", async () => {
    const definition = code(async (ctx) => {
      await ctx.shield(() => ctx.run("inside", () => null));
      const any = Promise.any([ctx.run("quick", () => null), ctx.waitFor(go), ctx.child(kid, undefined), ctx.sleep(1)]);
      const told = await any.catch((error: AggregateError) => error.errors.map(isCancelled));
      return [told, await ctx.waitFor(go)];
    });
    const run = await driven(definition, async (live) => {
      await live.signal("go", "sent");
      await live.execution.cancelReceived("enough");
      await live.complete(1, null);
    });
    expect(run.output).toEqual([["cancelled", "cancelled", "cancelled", "cancelled"], "sent"]);
  });

  it("tells who waits for a message after it", async () => {
    const definition = code(async (ctx) => {
      await ctx.shield(() => ctx.run("inside", () => null));
      return [await ctx.signal("other", go, "hello").catch(isCancelled), await ctx.run("clean up", () => null)];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, null);
      await live.execution.signalDelivered(2, "accepted");
      await live.complete(3, "cleaned");
    });
    expect(run.output).toEqual(["cancelled", "cleaned"]);
    expect(run.history.map(({ type }) => type)).toContain("SIGNAL_SENT");
  });

  it("starts the children that the code asks for afterwards, also if it ends then", async () => {
    const definition = code(async (ctx) => {
      await ctx.shield(() => ctx.run("inside", () => null));
      return ctx.child(kid, undefined, { id: "report", parentClose: "abandon" }).runId;
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, null);
    });
    expect(run.output).toBe("report");
    expect(run.history.map(({ type }) => type)).toContain("CHILD_SCHEDULED");
  });

  it("that follows another at once is not interrupted; what comes after it is, although others were told before", async () => {
    const definition = code(async (ctx) => {
      const other = ctx.sleep("1h").catch(isCancelled);
      await ctx.shield(() => ctx.run("first", () => null));
      void ctx.run("log", () => null);
      const second = await ctx.shield(() => ctx.run("second", () => null));
      return [await other, second, await ctx.sleep("1h").catch(isCancelled)];
    });
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(2, "first");
      await live.complete(4, "second");
    });
    expect(run.output).toEqual(["cancelled", "second", "cancelled"]);
  });

  it("goes with branches, iterators and messages that begin inside", async () => {
    const definition = code(async (ctx) =>
      ctx.shield(async () => {
        const iterate = async (): Promise<unknown> => {
          for await (const payload of ctx.signals(go)) if (payload === "last") return payload;
          return null;
        };
        const retries = async (): Promise<unknown> => {
          for (;;) {
            const done = await ctx.run("try", () => null).catch(() => null);
            if (done !== null) return done;
          }
        };
        return Promise.all([iterate(), retries(), ctx.signal("other", go, "hello").then(() => "sent")]);
      }),
    );
    const run = await driven(definition, async (live) => {
      await live.signal("go", "first");
      await live.execution.cancelReceived("enough");
      await live.complete(2, null);
      await live.execution.signalDelivered(3, "accepted");
      await live.complete(5, "third time");
      await live.signal("go", "last");
    });
    expect(run.output).toEqual(["last", "third time", "sent"]);
  });

  it("lets a run that asks for nothing more complete", async () => {
    const definition = code((ctx) => ctx.shield(() => ctx.run("last", () => null)));
    const run = await driven(definition, async (live) => {
      await live.execution.cancelReceived("enough");
      await live.complete(1, "word");
    });
    expect(run.output).toBe("word");
  });
});
