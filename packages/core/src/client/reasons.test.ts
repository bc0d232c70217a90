import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";

const go = signal("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

const NONE = [
  ["a text of 2,001 characters", "x".repeat(2_001)],
  ["a number", 5],
  ["null", null],
  ["an object", {}],
] as const;

describe.each(NONE)("a reason that is none: %s", (_, value) => {
  const reason = value as unknown as string;

  it("is refused by handle.cancel and handle.terminate before anything is written", async () => {
    const clock = virtualClock();
    const written: string[] = [];
    const note =
      (verb: string) =>
      <T>(call: () => T): T => {
        written.push(verb);
        return call();
      };
    const storage = intercepted(memory({ clock }), {
      deliver: note("deliver"),
      claimTasks: note("claimTasks"),
      commitTasks: note("commitTasks"),
    });
    const env = environment({ workflows: [wait], storage, clock });
    const run = await env.client.start(wait, undefined);
    const refused = {
      name: "UsageError",
      code: "invalid-argument",
      message: expect.stringContaining("reason") as unknown,
    };
    await expect(run.cancel({ reason })).rejects.toMatchObject(refused);
    await expect(run.terminate({ reason })).rejects.toMatchObject(refused);
    expect(written).toEqual([]);
    await env.runUntilIdle();
    expect((await run.describe()).why).toContain('It waits for signal "go"');
  });

  it("is refused by child.cancel before anything is recorded", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const child = ctx.child(wait, undefined);
      try {
        await child.cancel({ reason });
        return "sent";
      } catch (error) {
        return (error as { readonly code: string }).code;
      }
    });
    const env = environment({ workflows: [parent, wait] });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toBe("invalid-argument");
    expect((await run.history()).map(({ type }) => type)).not.toContain("SIGNAL_SENT");
  });
});

describe("a reason of 2,000 characters", () => {
  it("is passed on as it is", async () => {
    const reason = "ü".repeat(2_000);
    const env = environment({ workflows: [wait] });
    const cancelled = await env.client.start(wait, undefined);
    const terminated = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    await cancelled.cancel({ reason });
    await terminated.terminate({ reason });
    await env.runUntilIdle();
    await expect(cancelled.result()).rejects.toMatchObject({ reason });
    await expect(terminated.result()).rejects.toMatchObject({ reason });
  });
});
