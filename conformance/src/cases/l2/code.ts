import { setTimeout as sleep } from "node:timers/promises";
import { type Workflow, signal, workflow } from "@perdure/core";
import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const MAX_DELIVERIES = 2;

const go = signal<string>("go");

export const codeCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.incompatible-change",
    invariants: ["I9", "I14"],
    scenarios: ["S19"],
    why: "A deploy that changes what open runs did must not fail them: they wait, say what differs, and go on with the fixed code.",
    hint: "Does a block keep the task, its reason and the inbox, and does `unblockTasks` make it claimable at once?",
    async play(lab) {
      const { queue } = lab;
      const charges: string[] = [];
      const order = (step: string): Parameters<typeof lab.work>[0][number] =>
        workflow({ name: "order", queue }, async (ctx) => {
          const charged = await ctx.run(step, () => charges.push(step));
          return [charged, await ctx.waitFor(go)];
        });
      const good = order("charge");
      const before = await lab.work([good]);
      const run = await lab.start(good, undefined);
      await lab.parked(run, "SIGNAL_AWAITED");
      await before.stop();

      const broken = await lab.work([order("bill")]);
      const history = await run.history();
      await run.signal(go, "shipped");
      await lab.until("the run is blocked", async () => (await run.describe()).blocked !== null);
      const { blocked } = await run.describe();
      equal(blocked!.code, "determinism", "the reason is typed");
      check(/"charge".*"bill"/su.test(blocked!.message), "it names what history has and what the code asked for");
      equal(await run.history(), history, "nothing of it is recorded");
      await broken.stop();

      equal(await run.unblock(), true, "the block can be lifted");
      await lab.work([good]);
      equal(await lab.output(run), [1, "shipped"], "the run goes on with the fixed code, and has its signal");
      equal(charges, ["charge"], "the wrong code has executed nothing");
    },
  }),
  bothWays({
    id: "replay.blocked-comes-back",
    invariants: ["I9", "I11"],
    scenarios: ["S19"],
    why: "In a rolling deploy a run may meet the wrong code first: it comes back by itself, and goes on where the right code is.",
    hint: "Is a run whose block is over at `until` claimable like any other?",
    async play(lab) {
      const code = (step: string): Workflow<undefined, string> =>
        workflow(
          { name: "rolled", queue: lab.queue },
          async (ctx) => `${await ctx.run(step, () => step)} ${await ctx.waitFor(go)}`,
        );
      const [before, after] = [code("charge"), code("bill")];
      const old = await lab.work([before]);
      const run = await lab.start(before, undefined);
      await lab.parked(run, "SIGNAL_AWAITED");
      await old.stop();
      const wrong = await lab.work([after]);
      await run.signal(go, "shipped");
      await lab.until("the run is blocked", async () => (await run.describe()).blocked !== null);
      await wrong.stop();
      await lab.work([before]);
      await lab.until(
        "the run goes on although nobody has lifted its block",
        async () => (await run.status()) === "completed",
      );
      equal(await lab.output(run), "charge shipped", "it has what it had done, and its signal");
    },
  }),
  bothWays({
    id: "replay.patched",
    invariants: ["I12", "I14"],
    why: "A change of code that open runs have to survive asks which code a run has: each keeps its answer, on any worker.",
    async play(lab) {
      const { queue } = lab;
      const before = workflow({ name: "taxed", queue }, async (ctx): Promise<unknown[]> => {
        const tax = await ctx.run("old tax", () => 1);
        return [tax, await ctx.waitFor(go)];
      });
      const after = workflow({ name: "taxed", queue }, async (ctx): Promise<unknown[]> => {
        const tax = ctx.patched("new-tax") ? await ctx.run("new tax", () => 2) : await ctx.run("old tax", () => 1);
        return [tax, await ctx.waitFor(go), ctx.patched("new-tax")];
      });
      const old = await lab.work([before]);
      const open = await lab.start(before, undefined, { name: "open" });
      await lab.parked(open, "SIGNAL_AWAITED");
      await old.stop();
      const first = await lab.work([after]);
      const fresh = await lab.start(after, undefined, { name: "fresh" });
      await lab.parked(fresh, "SIGNAL_AWAITED");
      await first.stop();
      await lab.work([after]);
      for (const run of [open, fresh]) await run.signal(go, "go");
      equal(await lab.output(open), [1, "go", false], "a run that was past the change keeps the old code");
      equal(await lab.output(fresh), [2, "go", true], "a run that came to it has the new code");
    },
  }),
  bothWays({
    id: "replay.not-durable",
    invariants: ["I9", "I14"],
    why: "Code that waits for what nobody records would hang for ever without a word: it is blocked with a reason, and keeps what it has done.",
    async play(lab) {
      const { queue } = lab;
      let executions = 0;
      const code = (mended: boolean): Parameters<typeof lab.work>[0][number] =>
        workflow({ name: "bare", queue }, async (ctx) => {
          const first = await ctx.run("count", () => ++executions);
          if (!mended) await sleep(5);
          return first;
        });
      const bare = await lab.work([code(false)]);
      const run = await lab.start(code(false), undefined);
      await lab.until("the run is blocked", async () => (await run.describe()).blocked !== null);
      equal((await run.describe()).blocked!.code, "non-durable-await", "the reason is typed");
      await bare.stop();
      await lab.work([code(true)]);
      await run.unblock();
      equal(await lab.output(run), 1, "the mended code goes on with what is recorded");
      equal(executions, 1, "and repeats nothing (I12)");
    },
  }),
  bothWays({
    id: "claim.worker-without-the-code",
    invariants: ["I8", "I9"],
    scenarios: ["S22"],
    why: "Deploys are never atomic: a worker that does not know a workflow leaves its runs alone, and does its own.",
    hint: "Is the list of workflows that a claim names part of the query?",
    async play(lab) {
      const { queue } = lab;
      const known = workflow({ name: "known", queue }, async () => "known");
      const unknown = workflow({ name: "unknown", queue }, async () => "unknown");
      await lab.work([known]);
      const waiting = await lab.start(unknown, undefined);
      for (let count = 1; count <= 5; count++) {
        const run = await lab.start(known, undefined, { name: `known-${count}` });
        equal(await lab.output(run), "known", "runs that the worker knows are not held up");
      }
      const { task, lastSeq } = (await lab.storage.getRun(waiting.runId))!;
      contains(
        task,
        { epoch: 0, deliveries: 0, blocked: null, leaseUntil: null },
        "the other one was never handed out",
      );
      equal(lastSeq, 1, "and nothing was recorded");
      await lab.work([known, unknown]);
      equal(await lab.output(waiting), "unknown", "a worker that has the code takes it");
    },
  }),
  bothWays({
    id: "claim.kills-its-worker",
    invariants: ["I9"],
    scenarios: ["S23"],
    guards: ["poisoned-run-blocked"],
    why: "A run that kills whoever takes it would take down every worker, one after the other: it is put aside after a few, and the others go on.",
    hint: "Does each hand-out without a commit add one to `deliveries`, and is the count handed to the claimant?",
    async play(lab) {
      const { queue } = lab;
      let deaths = 0;
      let die: (() => Promise<void>) | null = null;
      const killer = workflow({ name: "killer", queue }, async (ctx) => {
        if (die !== null) {
          void die();
          die = null;
          deaths++;
        }
        return ctx.run("survive", () => "survived");
      });
      const harmless = workflow({ name: "harmless", queue }, async (ctx) => {
        await ctx.sleep(10);
        return "fine";
      });
      const run = await lab.start(killer, undefined);
      for (let death = 1; death <= MAX_DELIVERIES; death++) {
        const victim = await lab.work([killer], { lease: 400, maxDeliveries: MAX_DELIVERIES });
        die = () => victim.die();
        await lab.until(`worker ${death} dies of the run`, () => deaths === death);
      }
      await lab.work([killer, harmless], { maxDeliveries: MAX_DELIVERIES });
      const other = await lab.start(harmless, undefined);
      equal(await lab.output(other), "fine", "other runs go on");
      await lab.until("the run is put aside", async () => (await run.describe()).blocked !== null);
      equal((await run.describe()).blocked!.code, "poisoned", "the reason is typed");
      equal(deaths, MAX_DELIVERIES, "nobody else dies of it");
      lab.t.guard("poisoned-run-blocked");
      equal(await run.unblock(), true, "somebody who has mended the code lifts the block");
      equal(await lab.output(run), "survived", "the run goes on");
    },
  }),
];
