import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { code, drive } from "../../test/execution.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { childFailed } from "./child-events.ts";

const charge = activity({ name: "charge", retry: { delay: "10s", jitter: 0 } }, async (input: number) => input);
const go = signal<string>("go");

describe("what the code does not await", () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  beforeEach(() => void process.on("unhandledRejection", note));
  afterEach(() => {
    process.off("unhandledRejection", note);
    expect(unhandled.splice(0)).toEqual([]);
  });

  it("does not end the process when it fails", async () => {
    const other = code(async () => {});
    const run = await drive(
      code(async (ctx) => {
        void ctx.run(
          activity({ name: "once", retry: 1 }, () => 1),
          undefined,
        );
        void ctx.run("once", () => 1, { retry: 1 });
        void ctx.sleep("1h");
        void ctx.waitFor(go);
        void ctx.signals(go)[Symbol.asyncIterator]().next();
        void ctx.signal("other", go, "x");
        const child = ctx.child(other, undefined);
        void child.signal(go, "x");
        void child.cancel();
        void ctx.run(null as never, undefined);
        void ctx.sleep(-1);
        await ctx.waitFor(signal("never"));
      }),
    );
    await run.fail(1, "no");
    await run.fail(2, "no");
    for (const command of [6, 8, 9]) await run.execution.signalDelivered(command, "unknown");
    await childFailed(run.execution, 7, { name: "Error", message: "no" });
    await run.execution.cancelReceived(undefined);
    await new Promise((resolve) => void setTimeout(resolve, 5));
    expect(run.execution.ending).toMatchObject({ status: "cancelled" });
  });

  it("may be awaited after it has failed", async () => {
    const run = await drive(
      code(async (ctx) => {
        const first = ctx.run("once", () => 1, { retry: 1 });
        await ctx.run(charge, 1);
        return first.catch((error: Error) => error.name);
      }),
    );
    await run.fail(1, "no");
    await new Promise((resolve) => void setTimeout(resolve, 5));
    await run.complete(2, null);
    expect(run.output).toBe("ActivityFailedError");
  });
});
