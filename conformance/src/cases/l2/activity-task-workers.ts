import { type Activity, activity, isPerdureError, workflow } from "@perdure/core";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";
import { elsewhere } from "./elsewhere.ts";

/** What becomes of an activity task when a worker dies, and who takes it. */
export const activityTaskWorkerCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.activity-task-worker-dies",
    invariants: ["I8", "I12", "I13"],
    scenarios: ["S6"],
    why: "A process dies in the middle of an activity that it executes for another's run: a third one does it again, under the same key.",
    hint: "Is an activity task claimable when its lease is over, like a workflow's?",
    async play(lab) {
      const keys: string[] = [];
      const begun = Promise.withResolvers<void>();
      let fatal = true;
      const queue = elsewhere(lab);
      const step = activity({ name: "step", queue, retry: 1 }, (n: number, { attempt, idempotencyKey }) => {
        keys.push(idempotencyKey);
        if (n === 1 || !fatal) return `${n}/${attempt}`;
        begun.resolve();
        return new Promise<string>(() => {});
      });
      const definition = workflow({ name: "remote", queue: lab.queue }, async (ctx) => [
        await ctx.run(step, 1),
        await ctx.run(step, 2),
      ]);
      await lab.work([definition]);
      const first = await lab.work([], { queues: [queue], activities: [step], lease: 500 });
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      fatal = false;
      await first.die();
      await lab.work([], { queues: [queue], activities: [step] });
      equal(await lab.output(run), ["1/1", "2/1"], "it is the same attempt: no policy allows another (I9)");
      equal(
        keys.map((key) => keys.indexOf(key)),
        [0, 1, 1],
        "only what had no result is executed again, under its key (I13)",
      );
    },
  }),
  bothWays({
    id: "replay.activity-task-kills-its-worker",
    invariants: ["I9", "I12"],
    scenarios: ["S23"],
    guards: ["poisoned-activity-fails"],
    why: "An activity that kills whoever executes it fails after a few deaths: its workflow compensates, and other activities go on.",
    hint: "Does each hand-out of an activity task without a commit add one to its `deliveries`?",
    async play(lab) {
      const maxDeliveries = 2;
      const queue = elsewhere(lab);
      let deaths = 0;
      let die: (() => Promise<void>) | null = null;
      const killer = activity({ name: "killer", queue }, () => {
        if (die === null) return "survived";
        void die();
        die = null;
        deaths++;
        return new Promise<string>(() => {});
      });
      const harmless = activity({ name: "harmless", queue }, async () => "fine");
      const definition = workflow({ name: "remote", queue: lab.queue }, async (ctx) => {
        const failed = await ctx.run(killer, undefined).catch((error: unknown) => {
          if (!isPerdureError(error, "activity-failed")) throw error;
          return (error.cause as { code?: string }).code;
        });
        return [failed, await ctx.run(harmless, undefined)];
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      for (let death = 1; death <= maxDeliveries; death++) {
        const victim = await lab.work([], { queues: [queue], activities: [killer], lease: 400, maxDeliveries });
        die = () => victim.die();
        await lab.until(`worker ${death} dies of the activity`, () => deaths === death);
      }
      await lab.work([], { queues: [queue], activities: [killer, harmless], maxDeliveries });
      equal(await lab.output(run), ["poisoned", "fine"], "the failure is typed, and the workflow goes on");
      lab.t.guard("poisoned-activity-fails");
    },
  }),
  bothWays({
    id: "replay.activity-task-hand-over",
    invariants: ["I8", "I12", "I13"],
    why: "A worker that is stopped ends the activity that it executes, or gives it back at once: nobody waits for its lease.",
    hint: "Does a release make the task claimable at once, with its attempt and without its delivery?",
    async play(lab) {
      const executed: string[] = [];
      const queue = elsewhere(lab);
      const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
      const first = Promise.withResolvers<string>();
      const step = (by: string): Activity<number, string> =>
        activity({ name: "step", queue, retry: 1 }, async (n: number, { attempt }) => {
          executed.push(`${n}/${attempt} by ${by}`);
          begun[n]!.resolve();
          if (by === "b") return new Promise<string>(() => {});
          return by === "a" ? first.promise : "second";
        });
      const definition = workflow({ name: "remote", queue: lab.queue }, async (ctx) => [
        await ctx.run(step("nobody"), 0),
        await ctx.run(step("nobody"), 1),
      ]);
      await lab.work([definition]);
      const [a, b, c] = ["a", "b", "c"].map(
        (by) => () => lab.work([], { queues: [queue], activities: [step(by)], lease: "10m" }),
      );
      const retiring = await a!();
      const run = await lab.start(definition, undefined);
      await Promise.race([begun[0].promise, lab.output(run)]);
      const retired = retiring.retire();
      first.resolve("first");
      await retired;
      await lab.parked(run, "ACTIVITY_SCHEDULED", 2);
      const stopping = await b!();
      await Promise.race([begun[1].promise, lab.output(run)]);
      await stopping.stop();
      await c!();
      equal(
        await lab.output(run),
        ["first", "second"],
        "what one had begun it ended; what another gave back a third did",
      );
      equal(executed, ["0/1 by a", "1/1 by b", "1/1 by c"], "a hand-over is no attempt");
    },
  }),
];
