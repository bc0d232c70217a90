import { activity, workflow } from "@perdure/core";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const PAGES = 4;

export const checkpointCases: readonly ConformanceCase[] = [
  bothWays({
    id: "cache.checkpoint-outlives-its-worker",
    invariants: ["I4", "I12", "I13"],
    scenarios: ["S6"],
    why: "An activity that takes an hour goes on from its last checkpoint when its process dies, in the run's worker and in any other.",
    hint: "Is an entry with an owner found by whoever claims the task next?",
    async play(lab) {
      const { queue } = lab;
      const elsewhere = `${queue}-elsewhere`;
      const written: string[] = [];
      const found: unknown[] = [];
      let dies: string | null = null;
      let dead = Promise.withResolvers<void>();
      const index = (name: string, where: { readonly queue?: string }) =>
        activity({ name, ...where, retry: 1 }, async (_: undefined, context) => {
          found.push(context.lastCheckpoint);
          for (let page = ((context.lastCheckpoint as number | undefined) ?? -1) + 1; page < PAGES; page++) {
            if (dies === name && page === 2) {
              dead.resolve();
              await new Promise(() => {});
            }
            written.push(`${name} ${page}`);
            await context.checkpoint(page);
          }
          return PAGES;
        });
      const [inline, remote] = [index("inline", {}), index("remote", { queue: elsewhere })];
      const definition = workflow({ name: "indexes", queue }, async (ctx) => [
        await ctx.run(inline, undefined),
        await ctx.run(remote, undefined),
        await ctx.run(inline, undefined),
      ]);
      dies = "inline";
      const first = await lab.work([definition], { lease: 500 });
      const run = await lab.start(definition, undefined);
      await Promise.race([dead.promise, lab.output(run)]);
      await first.die();
      [dies, dead] = ["remote", Promise.withResolvers<void>()];
      const second = await lab.work([], { queues: [elsewhere], activities: [remote], lease: 500 });
      await lab.work([definition]);
      await Promise.race([dead.promise, lab.output(run)]);
      await second.die();
      dies = null;
      await lab.work([], { queues: [elsewhere], activities: [remote] });
      equal(await lab.output(run), [PAGES, PAGES, PAGES], "the run ends");
      equal(
        found,
        [undefined, 1, undefined, 1, undefined],
        "each call finds its own last checkpoint, and no other's (I4)",
      );
      equal(
        written,
        ["inline", "remote", "inline"].flatMap((name) => [0, 1, 2, 3].map((page) => `${name} ${page}`)),
        "no page that has a checkpoint is done again (I13)",
      );
    },
  }),
  bothWays({
    id: "cache.checkpoint-outlives-a-hand-over",
    invariants: ["I4", "I13"],
    why: "A deploy stops workers in the middle of long activities: who goes on with one begins where it was.",
    hint: "Does each hand-out of a task have an epoch of its own, after a release too?",
    async play(lab) {
      const { queue } = lab;
      const elsewhere = `${queue}-elsewhere`;
      const found: unknown[] = [];
      let begun = Promise.withResolvers<void>();
      let stops = true;
      const long = (where: { readonly queue?: string }) =>
        activity({ name: "long", ...where, retry: 1 }, async (_: undefined, context) => {
          found.push(context.lastCheckpoint);
          await context.checkpoint("half");
          begun.resolve();
          if (stops) await new Promise(() => {});
          return "done";
        });
      const [inline, remote] = [long({}), long({ queue: elsewhere })];
      const definition = workflow({ name: "long", queue }, async (ctx) => [
        await ctx.run(inline, undefined),
        await ctx.run(remote, undefined),
      ]);
      const first = await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      await first.stop();
      stops = false;
      await lab.work([definition]);
      await lab.parked(run, "ACTIVITY_COMPLETED");
      [stops, begun] = [true, Promise.withResolvers<void>()];
      const second = await lab.work([], { queues: [elsewhere], activities: [remote] });
      await Promise.race([begun.promise, lab.output(run)]);
      await second.stop();
      stops = false;
      await lab.work([], { queues: [elsewhere], activities: [remote] });
      equal(await lab.output(run), ["done", "done"], "the run ends");
      equal(found, [undefined, "half", undefined, "half"], "whoever goes on finds the checkpoint (I4)");
    },
  }),
  bothWays({
    id: "cache.checkpoint-outlives-its-attempt",
    invariants: ["I4", "I16"],
    why: "An attempt that fails leaves what it had done to the next one, falsy values included.",
    hint: "Does a write with mode `replace` take the place of the run's earlier one?",
    async play(lab) {
      const { queue } = lab;
      const elsewhere = `${queue}-elsewhere`;
      const steps: readonly unknown[] = [0, "", null, false, { page: 7 }];
      const retry = { maximumAttempts: steps.length + 1, delay: 5 };
      const collect = (where: { readonly queue?: string }) =>
        activity({ name: "collect", ...where, retry }, async (_: undefined, context) => {
          found.push(context.lastCheckpoint);
          const { attempt } = context;
          if (attempt > steps.length) return attempt;
          await context.checkpoint("overwritten");
          await context.checkpoint(steps[attempt - 1]);
          throw new Error(`failure ${attempt}`);
        });
      const found: unknown[] = [];
      const [inline, remote] = [collect({}), collect({ queue: elsewhere })];
      const definition = workflow({ name: "collects", queue }, async (ctx) => [
        await ctx.run(inline, undefined),
        await ctx.run(remote, undefined),
      ]);
      await lab.work([definition]);
      await lab.work([], { queues: [elsewhere], activities: [remote] });
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), [steps.length + 1, steps.length + 1], "the last attempts succeed");
      equal(found, [undefined, ...steps, undefined, ...steps], "each attempt finds what the one before it stored last");
    },
  }),
];
