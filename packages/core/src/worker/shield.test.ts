import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");

describe.each(CACHES)("ctx.shield, with %i runs kept in memory", (cacheRuns) => {
  it("keeps the activity inside running when the run is cancelled, and aborts the one outside", async () => {
    const aborted: string[] = [];
    const ends: (() => void)[] = [];
    const definition = workflow({ name: "definition" }, async (ctx) => {
      const hang = (name: string): Promise<string> =>
        ctx.run(name, ({ signal: fired }) => {
          fired.addEventListener("abort", () => void aborted.push(name));
          return new Promise<string>((resolve) => ends.push(() => resolve(name)));
        });
      try {
        const [inside] = await Promise.all([ctx.shield(() => hang("inside")), hang("outside")]);
        return inside;
      } catch (error) {
        await ctx.shield(() => ctx.sleep("1h"));
        throw error;
      }
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.skip("10s");
    await run.cancel();
    await env.skip("10s");
    expect(aborted).toEqual(["outside"]);
    expect((await run.describe()).currentActivities.map(({ name }) => name)).toEqual(["inside"]);
    for (const end of ends) end();
    await env.skip("1h");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
    expect(aborted).toEqual(["outside"]);
    expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(1);
  });

  it("waits for timers, signals and retries inside, parked like any run; then the run learns of the cancel", async () => {
    const seen: unknown[] = [];
    const definition = workflow({ name: "definition" }, async (ctx) => {
      const inside = await ctx.shield(async () => {
        await ctx.sleep("1h");
        const sent = await ctx.waitFor(go);
        return [
          sent,
          ctx.cancelled,
          await ctx.run("flaky", ({ attempt }) => {
            if (attempt < 3) throw new Error("again");
            return attempt;
          }),
        ];
      });
      seen.push(inside);
      await ctx.sleep("1d");
    });
    const env = environment({ workflows: [definition], cacheRuns });
    const run = await env.client.start(definition, undefined);
    await env.skip("1m");
    await run.cancel({ reason: "enough" });
    await env.skip("1m");
    expect((await run.describe()).waitingFor).toMatchObject([{ what: "timer" }]);
    await env.skip("1h");
    expect((await run.describe()).waitingFor).toMatchObject([{ what: "signal", name: "go" }]);
    await run.signal(go, "now");
    await env.skip("1m");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    expect(seen).toContainEqual(["now", true, 3]);
  });

  it("keeps the cancel from children that were started inside, until the run ends", async () => {
    const child = workflow({ name: "child" }, (ctx) => ctx.waitFor(go));
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const outside = ctx.child(child, undefined, { id: "outside" });
      const inside = await ctx.shield(async () => {
        void ctx.child(child, undefined, { id: "detached" });
        return ctx.child(child, undefined, { id: "inside" });
      });
      await outside;
      return inside;
    });
    const env = environment({ workflows: [parent, child], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    await run.cancel();
    await env.runUntilIdle();
    const statuses = async (): Promise<unknown[]> =>
      Promise.all(["outside", "inside", "detached"].map((id) => env.client.handle(id).status()));
    expect(await statuses()).toEqual(["cancelled", "suspended", "suspended"]);
    await env.client.handle("inside").signal(go, "grown");
    await env.runUntilIdle();
    expect(await run.status()).toBe("cancelled");
    expect(await statuses()).toEqual(["cancelled", "completed", "cancelled"]);
  });

  it("a child that the cancel keeps from being started sends nothing to whoever has its id", async () => {
    const stranger = workflow({ name: "stranger" }, (ctx) => ctx.waitFor(go));
    const definition = workflow({ name: "definition" }, async (ctx, tell: "signal" | "cancel") => {
      await ctx.shield(() => ctx.waitFor(go));
      const child = ctx.child(stranger, undefined, { id: "stranger" });
      if (tell === "signal") await child.signal(go, "from the parent");
      else await child.cancel();
    });
    const env = environment({ workflows: [definition, stranger], cacheRuns });
    const other = await env.client.start(stranger, undefined, { id: "stranger" });
    for (const tell of ["signal", "cancel"] as const) {
      const run = await env.client.start(definition, tell);
      await env.runUntilIdle();
      await run.cancel();
      await run.signal(go, "on");
      await env.runUntilIdle();
      await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled" });
    }
    await other.signal(go, "from the test");
    await env.runUntilIdle();
    expect(await other.result()).toBe("from the test");
  });

  it("holds up neither a termination nor the deadline", async () => {
    const definition = workflow({ name: "definition" }, (ctx) => ctx.shield(() => ctx.sleep("1d")));
    const env = environment({ workflows: [definition], cacheRuns });
    const terminated = await env.client.start(definition, undefined);
    const late = await env.client.start(definition, undefined, { timeout: "1h" });
    await env.skip("1m");
    await terminated.cancel();
    await terminated.terminate();
    await late.cancel();
    await env.skip("1h");
    expect(await terminated.status()).toBe("cancelled");
    await expect(late.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
  });
});
