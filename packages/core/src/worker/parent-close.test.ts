import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import type { ChildHandle } from "../define/context.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");

describe.each(CACHES)("children, with %i runs kept in memory", (cacheRuns) => {
  const wait = workflow(
    { name: "wait", version: "2", state: { initial: (name: string) => ({ name }) } },
    async (ctx, name: string) => {
      const got = await ctx.waitFor(go);
      return `${name} got ${got}`;
    },
  );

  describe("when the parent closes first", () => {
    const leave = workflow(
      { name: "leave" },
      async (ctx, ids: Readonly<Record<string, "cancel" | "terminate" | "abandon" | "default">>) => {
        for (const [id, parentClose] of Object.entries(ids)) {
          void ctx.child(wait, id, { id, ...(parentClose !== "default" && { parentClose }) });
        }
        await ctx.sleep("1h");
        return "left";
      },
    );
    const ids = { none: "default", cancelled: "cancel", terminated: "terminate", abandoned: "abandon" } as const;

    it("its policy is kept: cancel (default), terminate, abandon", async () => {
      const env = environment({ workflows: [leave, wait], cacheRuns });
      const run = await env.client.start(leave, ids);
      await env.skip("1h");
      expect(await run.result()).toBe("left");
      expect(await Promise.all(Object.keys(ids).map((id) => env.client.handle(id).status()))).toEqual([
        "cancelled",
        "cancelled",
        "cancelled",
        "suspended",
      ]);
      expect((await env.client.handle("terminated").history()).at(-1)?.data).toMatchObject({ terminated: true });
      expect((await env.client.handle("cancelled").history()).map(({ type }) => type)).toContain("CANCEL_REQUESTED");
      await env.client.handle("abandoned").signal(go, "free");
      await env.runUntilIdle();
      expect(await env.client.handle("abandoned").result()).toBe("abandoned got free");
    });

    it("its policy is kept when the parent is terminated or times out", async () => {
      for (const how of ["terminate", "time-out"] as const) {
        const env = environment({ workflows: [leave, wait], cacheRuns });
        const run = await env.client.start(leave, ids, how === "time-out" ? { timeout: "10m" } : {});
        await env.skip("5m");
        if (how === "terminate") await run.terminate();
        await env.skip("10m");
        await expect(run.result()).rejects.toMatchObject({
          code: how === "terminate" ? "run-cancelled" : "run-failed",
        });
        expect(await Promise.all(Object.keys(ids).map((id) => env.client.handle(id).status()))).toEqual([
          "cancelled",
          "cancelled",
          "cancelled",
          "suspended",
        ]);
      }
    });

    it("right after it asked for children, they are created all the same, with their state", async () => {
      const hasty = workflow({ name: "hasty" }, async (ctx) => {
        void ctx.child(wait, "kid", { id: "kid", parentClose: "abandon" });
        return "done";
      });
      const env = environment({ workflows: [hasty, wait], cacheRuns });
      const run = await env.client.start(hasty, undefined);
      await env.runUntilIdle();
      expect(await run.result()).toBe("done");
      expect(await env.client.handle("kid").status()).toBe("suspended");
      expect(await env.client.handle("kid").state()).toEqual({ name: "kid" });
    });
  });

  it("a cancel of the parent reaches those with the policy cancel, and the parent may clean up", async () => {
    const parent = workflow({ name: "parent" }, async (ctx) => {
      const children = (["cancel", "terminate", "abandon"] as const).map((parentClose) =>
        ctx.child(wait, parentClose, { id: parentClose, parentClose }),
      );
      try {
        await Promise.all(children);
      } finally {
        await ctx.sleep("1m");
      }
    });
    const env = environment({ workflows: [parent, wait], cacheRuns });
    const run = await env.client.start(parent, undefined);
    await env.runUntilIdle();
    await run.cancel({ reason: "stop" });
    await env.runUntilIdle();
    const status = (): Promise<string[]> =>
      Promise.all(["cancel", "terminate", "abandon"].map((id) => env.client.handle(id).status()));
    expect(await status()).toEqual(["cancelled", "suspended", "suspended"]);
    await env.skip("1m");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "stop" });
    expect(await status()).toEqual(["cancelled", "cancelled", "suspended"]);
    expect(
      (await env.client.handle("cancel").history()).filter(({ type }) => type === "CANCEL_REQUESTED"),
    ).toHaveLength(1);
  });

  it("those that the parent cleans up with do their work, also after it continued as new", async () => {
    const undo = workflow({ name: "undo" }, async (ctx) => {
      await ctx.sleep("1m");
      return "undone";
    });
    const parent = workflow({ name: "parent" }, async (ctx, before: readonly string[]): Promise<readonly string[]> => {
      await ctx.sleep("1h").catch(() => {});
      const after = [...before, await ctx.child(undo, undefined)];
      return after.length < 2 ? ctx.continueAsNew(after) : after;
    });
    const env = environment({ workflows: [parent, undo], cacheRuns });
    const run = await env.client.start(parent, []);
    await env.runUntilIdle();
    await run.cancel();
    await env.skip("1h");
    expect(await run.result()).toEqual(["undone", "undone"]);
  });

  it("grandchildren are cancelled from generation to generation", async () => {
    const nest = workflow({ name: "nest" }, async (ctx, depth: number): Promise<void> => {
      if (depth === 0) await ctx.sleep("1d");
      else await (ctx.child(nest as never, (depth - 1) as never, { id: `nest-${depth - 1}` }) as ChildHandle<void>);
    });
    const env = environment({ workflows: [nest], cacheRuns });
    const run = await env.client.start(nest, 3, { id: "nest-3" });
    await env.runUntilIdle();
    expect(await env.client.handle("nest-0").status()).toBe("suspended");
    await run.cancel();
    await env.runUntilIdle();
    expect(await Promise.all([0, 1, 2, 3].map((depth) => env.client.handle(`nest-${depth}`).status()))).toEqual(
      Array.from({ length: 4 }, () => "cancelled"),
    );
  });
});
