import { activity, isPerdureError, signal, workflow } from "@perdure/core";
import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const go = signal<string>("go");

export const cancelCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.cancel-while-suspended",
    invariants: ["I11", "I17"],
    scenarios: ["S15"],
    why: "A run that is cancelled while it waits wakes up, cleans up durably, and takes its children along.",
    async play(lab) {
      const { queue } = lab;
      const cleaned: string[] = [];
      const clean = activity({ name: "clean", retry: { delay: 20 } }, async (what: string, { attempt }) => {
        if (attempt === 1) throw new Error("once more");
        cleaned.push(what);
      });
      const child = workflow({ name: "kid", queue }, (ctx) => ctx.waitFor(go));
      const definition = workflow({ name: "cancelled", queue }, async (ctx) => {
        const kid = ctx.child(child, undefined, { id: `${lab.mode}-kid` });
        try {
          return await Promise.race([kid, ctx.waitFor(go)]);
        } catch (error) {
          if (!isPerdureError(error, "cancelled")) throw error;
          await ctx.run(clean, `${ctx.cancelled}`);
          await ctx.sleep(20);
          await ctx.waitFor(go);
          throw error;
        }
      });
      await lab.work([definition, child]);
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "SIGNAL_AWAITED");
      await lab.parked(lab.client.handle(`${lab.mode}-kid`), "SIGNAL_AWAITED");
      await run.cancel({ reason: "enough" });
      await run.cancel({ reason: "again" });
      await lab.cancelled(lab.client.handle(`${lab.mode}-kid`));
      await lab.parked(run, "CHILD_FAILED");
      await lab.parked(run, "SIGNAL_AWAITED", 2);
      await run.signal(go, "clean");
      equal((await lab.cancelled(run)).reason, "enough", "the first reason counts (I17)");
      equal(cleaned, ["true"], "the clean-up runs to its end, retries, sleeps and waits included");
      equal(
        (await lab.types(run)).filter((type) => type === "CANCEL_REQUESTED").length,
        1,
        "a second request changes nothing (I17)",
      );
    },
  }),
  bothWays({
    id: "replay.cancel-shielded",
    invariants: ["I11", "I12", "I17"],
    scenarios: ["S15"],
    why: "What must not be left half done is done to its end, children included, although the run is cancelled in the middle of it. What it waits for next is cancelled, whatever else it asked for before.",
    async play(lab) {
      const { queue, mode } = lab;
      const done: string[] = [];
      const kid = workflow({ name: "kid", queue }, (ctx) => ctx.waitFor(go));
      const definition = workflow({ name: "shielded", queue }, async (ctx) => {
        void ctx.child(kid, undefined, { id: `${mode}-outside` });
        try {
          await ctx.shield(async () => {
            await ctx.run("reserve", () => void done.push("reserve"));
            const word = await ctx.child(kid, undefined, { id: `${mode}-inside` });
            await ctx.sleep(20);
            await ctx.run("book", () => void done.push(`book ${word}`));
          });
          void ctx.child(kid, undefined, { id: `${mode}-after` });
          return await Promise.any([ctx.run("too late", () => void done.push("too late")), ctx.waitFor(go)]);
        } catch (error) {
          await ctx.run("clean up", () => void done.push("clean up"));
          throw error instanceof AggregateError ? error.errors[0] : error;
        }
      });
      const first = await lab.work([definition, kid]);
      const run = await lab.start(definition, undefined);
      const handles = ["inside", "outside", "after"].map((name) => lab.client.handle<string>(`${mode}-${name}`));
      const [inside, outside, after] = handles;
      await lab.parked(run, "CHILD_STARTED", 2);
      for (const child of [inside!, outside!]) await lab.parked(child, "SIGNAL_AWAITED");
      await run.cancel({ reason: "enough" });
      await lab.cancelled(outside!);
      await lab.parked(run, "CHILD_FAILED");
      equal(done, ["reserve"], "the shielded part is not interrupted");
      await first.die();
      await lab.work([definition, kid]);
      await inside!.signal(go, "now");
      equal((await lab.cancelled(run)).reason, "enough", "the run ends as cancelled when it has finished (I17)");
      equal(
        done,
        ["reserve", "book now", "clean up"],
        "the shielded part is done once, and then comes the clean-up (I12)",
      );
      equal(await lab.output(inside!), "now", "a child of the shielded part is not cancelled");
      await lab.cancelled(after!);
    },
  }),
  bothWays({
    id: "replay.cancel-drops-late-results",
    invariants: ["I5", "I17"],
    scenarios: ["S15"],
    why: "An activity that is running when its run is cancelled is told so, and what it answers afterwards changes nothing.",
    async play(lab) {
      const begun = Promise.withResolvers<void>();
      const late = Promise.withResolvers<string>();
      const reasons: string[] = [];
      const hanging = activity({ name: "hanging" }, (_: undefined, { signal: aborted }) => {
        aborted.addEventListener("abort", () => reasons.push((aborted.reason as Error).name));
        begun.resolve();
        return late.promise;
      });
      const definition = workflow({ name: "dropped", queue: lab.queue }, (ctx) => ctx.run(hanging, undefined));
      const worker = await lab.work([definition], { lease: 2_000 });
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      await run.cancel();
      await lab.cancelled(run);
      await lab.until("the activity's code is told", () => reasons.length > 0);
      const before = await run.history();
      late.resolve("late");
      await worker.retire();
      equal(reasons, ["CancelledError"], "it is told once, and why");
      equal(await run.history(), before, "its result is not recorded (I5)");
    },
  }),
  bothWays({
    id: "replay.cancel-before-the-first-turn",
    invariants: ["I17"],
    why: "A run that is cancelled before anybody took it never runs its code.",
    async play(lab) {
      let ran = 0;
      const definition = workflow({ name: "unborn", queue: lab.queue }, async () => void ran++);
      const run = await lab.start(definition, undefined);
      await run.cancel({ reason: "changed my mind" });
      await lab.work([definition]);
      equal((await lab.cancelled(run)).reason, "changed my mind", "it ends as cancelled");
      equal(ran, 0, "its code has not run");
      await lab.recorded(run, ["CANCEL_REQUESTED"], "its history says why");
    },
  }),
  bothWays({
    id: "replay.terminate",
    invariants: ["I9", "I17"],
    why: "An operator ends a run without its code having a say, whether nobody has taken it, it waits, or somebody holds it.",
    async play(lab) {
      const { queue } = lab;
      let cleanUps = 0;
      const begun = Promise.withResolvers<void>();
      const hang = activity({ name: "hang" }, () => {
        begun.resolve();
        return new Promise<string>(() => {});
      });
      const definition = workflow({ name: "terminated", queue }, async (ctx, held: boolean) => {
        try {
          return await (held ? ctx.run(hang, undefined) : ctx.waitFor(go));
        } finally {
          await ctx.run("clean up", () => ++cleanUps);
        }
      });
      const unclaimed = await lab.start(definition, false, { name: "unclaimed" });
      await unclaimed.terminate({ reason: "wrong" });
      equal((await lab.cancelled(unclaimed)).reason, "wrong", "a run that nobody has taken needs no worker to end");
      await lab.work([definition], { lease: 2_000 });
      const parked = await lab.start(definition, false, { name: "parked" });
      const held = await lab.start(definition, true, { name: "held" });
      await lab.parked(parked, "SIGNAL_AWAITED");
      await Promise.race([begun.promise, lab.output(held)]);
      for (const run of [parked, held]) {
        await run.terminate({ reason: "wrong" });
        equal((await lab.cancelled(run)).reason, "wrong", "it ends with the reason");
        contains((await run.history()).at(-1)?.data, { reason: "wrong", terminated: true }, "and says how it ended");
      }
      check(cleanUps === 0, "no code runs after a termination");
    },
  }),
];
