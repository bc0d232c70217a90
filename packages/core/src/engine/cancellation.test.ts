import { describe, expect, it } from "vitest";
import { code, drive, replayPrefixes } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);
const go = signal<string>("go");

describe("cancellation", () => {
  it("rejects all that the code waits for, in command order, once (I17)", async () => {
    const seen: string[] = [];
    const note = (name: string, promise: Promise<unknown>): Promise<unknown> =>
      promise.catch((error: Error) => void seen.push(`${name} ${error.name}`));
    const definition = code((ctx) =>
      Promise.all([
        note("sleep", ctx.sleep("1h")),
        note("signal", ctx.waitFor(go)),
        note("activity", ctx.run(charge, 1)),
      ]),
    );
    const run = await drive(definition);
    await run.execution.cancelReceived("enough");
    await run.execution.cancelReceived("again");
    expect(seen).toEqual(["sleep CancelledError", "signal CancelledError", "activity CancelledError"]);
    expect(run.take().filter((type) => type === "CANCEL_REQUESTED")).toHaveLength(1);
    await replayPrefixes(definition, run);
  });

  it("leaves an outcome that comes later without effect", async () => {
    const run = await drive(code((ctx) => ctx.run(charge, 1).catch(() => ctx.sleep("1h"))));
    await run.execution.cancelReceived(undefined);
    run.take();
    await run.complete(1, "late");
    await run.fail(1, "later");
    expect(run.take()).toEqual([]);
  });

  it("lets the code clean up, and ends the run as cancelled when the error passes", async () => {
    const definition = code(async (ctx) => {
      try {
        await ctx.sleep("1h");
      } finally {
        await ctx.run(charge, 1);
      }
    });
    const run = await drive(definition);
    await run.execution.cancelReceived("enough");
    expect(run.execution.ending).toBeNull();
    await run.complete(2, null);
    expect(run.execution.ending).toEqual({ status: "cancelled", reason: "enough", terminated: false });
    run.take();
    await replayPrefixes(definition, run);
  });

  it("that the code swallows makes it complete", async () => {
    const run = await drive(code((ctx) => ctx.sleep("1h").catch(() => "went on")));
    await run.execution.cancelReceived("enough");
    expect(run.output).toBe("went on");
  });

  it("is what the run ends with only if somebody asked for it", async () => {
    const { CancelledError } = await import("../errors/index.ts");
    const run = await drive(code(() => Promise.reject(new CancelledError({ reason: "mine" }))));
    expect(run.execution.ending).toMatchObject({ status: "failed" });
  });

  it("comes through to code that waits for a message to be sent", async () => {
    const definition = code(async (ctx) => {
      void ctx.child(
        code(async () => {}),
        undefined,
      );
      await ctx.signal("other", go, "x");
      await ctx.sleep("1h");
    });
    const run = await drive(definition);
    await run.execution.cancelReceived("enough");
    await run.execution.signalDelivered(2, "accepted");
    expect(run.execution.ending).toEqual({ status: "cancelled", reason: "enough", terminated: false });
    run.take();
    await replayPrefixes(definition, run);
  });
});
