import { type Activity, NonRetryableError, activity, isPerdureError, signal, workflow } from "@perdure/core";
import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";
import { elsewhere } from "./elsewhere.ts";

const VALUES: readonly unknown[] = [0, "", false, null, [], undefined, { at: [undefined] }];
const DELAY_MS = 60;
const PARTS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

const go = signal<string>("go");

export const activityTaskCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.activity-on-another-queue",
    invariants: ["I11", "I12", "I23"],
    why: "An activity that needs another machine goes there as a task: the run waits without a worker, and has its result as it was returned.",
    hint: "Are the outcome of an activity task in the run's inbox, the end of the task and the run's wake-up one write?",
    async play(lab) {
      const executed: string[] = [];
      const inputs: unknown[] = [];
      const echo = (where: string): Activity<unknown, unknown> =>
        activity({ name: "echo", queue: elsewhere(lab) }, async (value: unknown) => {
          executed.push(where);
          inputs.push(value);
          return value;
        });
      const here = echo("here");
      const definition = workflow({ name: "remote", queue: lab.queue }, async (ctx) => {
        const outputs: unknown[] = [];
        for (const value of VALUES) outputs.push(await ctx.run(here, value));
        return [outputs, await Promise.all(VALUES.map((value) => ctx.run(here, value)))];
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "ACTIVITY_SCHEDULED");
      check((await run.describe()).why.includes(elsewhere(lab)), "it says for which queue it waits");
      equal(executed, [], "the worker of the run does not execute it");
      await lab.work([], { queues: [elsewhere(lab)], activities: [echo("elsewhere")] });
      equal(await lab.output(run), [VALUES, VALUES], "every result is what the other worker returned (I23)");
      equal(inputs.slice(0, VALUES.length), VALUES, "every input is what the workflow gave");
      equal(
        executed,
        Array.from({ length: 2 * VALUES.length }, () => "elsewhere"),
        "each call is executed once, by a worker of its queue (I12)",
      );
    },
  }),
  bothWays({
    id: "replay.activity-task-retries",
    invariants: ["I12", "I13", "I16"],
    scenarios: ["S3", "S4"],
    why: "Who executes an activity task decides about its retries: the run sleeps meanwhile, and learns the end alone.",
    hint: "Does a retry keep the task, count its attempt, and make it claimable at its time and not before?",
    async play(lab) {
      const began: number[] = [];
      const keys = new Set<string>();
      const flaky = activity(
        { name: "flaky", queue: elsewhere(lab), retry: { maximumAttempts: 3, delay: DELAY_MS, jitter: 0 } },
        async (kind: "mended" | "hopeless" | "refused", { attempt, idempotencyKey }) => {
          if (kind === "mended") began.push(await lab.storage.now());
          keys.add(idempotencyKey);
          if (kind === "refused") throw new NonRetryableError("never");
          if (kind === "hopeless" || attempt < 3) throw new RangeError(`${kind} ${attempt}`);
          return `attempt ${attempt}`;
        },
      );
      const definition = workflow({ name: "remote", queue: lab.queue }, async (ctx) => {
        const outcomes: unknown[] = [];
        for (const kind of ["mended", "hopeless", "refused"] as const) {
          outcomes.push(await ctx.run(flaky, kind).catch((error: unknown) => inWords(error)));
        }
        return [...outcomes, await ctx.waitFor(go)];
      });
      await lab.work([definition]);
      await lab.work([], { queues: [elsewhere(lab)], activities: [flaky] });
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "SIGNAL_AWAITED");
      const handOuts = (await lab.storage.getRun(run.runId))!.task?.epoch ?? 0;
      check(
        handOuts <= 6,
        `the run is handed out once and for each of its three outcomes, not ${handOuts} times: retries are no turns`,
      );
      await run.signal(go, "end");
      equal(
        await lab.output(run),
        ["attempt 3", ["flaky", 3, "RangeError", "hopeless 3"], ["flaky", 1, "NonRetryableError", "never"], "end"],
        "the outcomes are those of the last attempts, failures typed",
      );
      equal(began.length, 3, "there are as many executions as attempts (I13)");
      for (const [index, at] of began.entries()) {
        const earliest = index === 0 ? at : began[index - 1]! + DELAY_MS;
        check(at >= earliest, `attempt ${index + 1} does not begin before its delay has passed (I16)`);
      }
      equal(keys.size, 3, "each call has one key for all of its attempts");
      const completed = (await run.history()).find(({ type }) => type === "ACTIVITY_COMPLETED");
      contains(completed?.data, { activity: "flaky", attempt: 3 }, "the attempt that succeeded is recorded");
    },
  }),
  bothWays({
    id: "replay.activity-task-overflows",
    invariants: ["I12", "I13"],
    scenarios: ["S14"],
    why: "A fan-out is not bound to the slots of one worker: what finds none there goes out to whoever lists the activity.",
    async play(lab) {
      const executed: number[] = [];
      const other = Promise.withResolvers<void>();
      const mine = activity({ name: "part" }, async (n: number) => {
        executed.push(n);
        await other.promise;
        return `part ${n}`;
      });
      const theirs = activity({ name: "part" }, async (n: number) => {
        executed.push(n);
        other.resolve();
        return `part ${n}`;
      });
      const definition = workflow({ name: "wide", queue: lab.queue }, (ctx) =>
        Promise.all(PARTS.map((n) => ctx.run(mine, n))),
      );
      await lab.work([definition], { activities: [mine], concurrency: { runs: 10, activities: 1 } });
      await lab.work([], { activities: [theirs], concurrency: 1 });
      const run = await lab.start(definition, undefined);
      equal(
        await lab.output(run),
        PARTS.map((n) => `part ${n}`),
        "results stand in the order of the calls, wherever they come from",
      );
      equal(
        executed.toSorted((a, b) => a - b),
        PARTS,
        "each is executed once (I13)",
      );
    },
  }),
  bothWays({
    id: "replay.activity-task-cancelled",
    invariants: ["I5", "I17"],
    scenarios: ["S15"],
    why: "Activities of a cancelled run end with it, wherever they are: who executes one hears of it, and what nobody has taken never begins.",
    hint: "Does a commit's `cancel` delete tasks that are held too, and is their holder's renewal answered with `lost`?",
    async play(lab) {
      const executed: string[] = [];
      const reasons: string[] = [];
      const begun = Promise.withResolvers<void>();
      const late = Promise.withResolvers<string>();
      const queue = elsewhere(lab);
      const hang = activity({ name: "hang", queue }, async (_: number, { signal: aborted }) => {
        executed.push("hang");
        aborted.addEventListener("abort", () => reasons.push((aborted.reason as Error).name));
        begun.resolve();
        return late.promise;
      });
      const clean = activity({ name: "clean", queue }, async () => void executed.push("clean"));
      const definition = workflow({ name: "cancelled", queue: lab.queue }, async (ctx) => {
        try {
          return await Promise.all([ctx.run(hang, 1), ctx.run(hang, 2)]);
        } catch (error) {
          await ctx.run(clean, undefined);
          throw error;
        }
      });
      await lab.work([definition]);
      const remote = await lab.work([], { queues: [queue], activities: [hang, clean], concurrency: 1, lease: 3_000 });
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      await run.cancel({ reason: "enough" });
      equal((await lab.cancelled(run)).reason, "enough", "it ends as cancelled");
      equal(reasons, ["CancelledError"], "the activity that ran is told, once");
      equal(executed, ["hang", "clean"], "the one that nobody had taken never ran; the clean-up did");
      const before = await run.history();
      late.resolve("late");
      await remote.retire();
      equal(await run.history(), before, "the late result is not recorded (I5)");
    },
  }),
  bothWays({
    id: "replay.activity-task-outlives-its-run",
    invariants: ["I5", "I12"],
    why: "A run may end while others still work for it: their task goes with it, and their result has nowhere to go.",
    hint: "Does closing a run delete its activity tasks, held ones too?",
    async play(lab) {
      const begun = Promise.withResolvers<void>();
      const late = Promise.withResolvers<string>();
      let told = 0;
      const queue = elsewhere(lab);
      const hang = activity({ name: "hang", queue }, async (_: undefined, { signal: aborted }) => {
        aborted.addEventListener("abort", () => told++);
        begun.resolve();
        return late.promise;
      });
      const definition = workflow({ name: "hasty", queue: lab.queue }, (ctx) =>
        Promise.race([ctx.run(hang, undefined), ctx.waitFor(go)]),
      );
      await lab.work([definition]);
      const remote = await lab.work([], { queues: [queue], activities: [hang], lease: 3_000 });
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      await run.signal(go, "quick");
      equal(await lab.output(run), "quick", "the run ends without it");
      const before = await run.history();
      await lab.until("the activity's code is told that nobody waits for it", () => told > 0);
      late.resolve("late");
      await remote.retire();
      equal(await run.history(), before, "its result is not recorded (I5)");
    },
  }),
];

function inWords(error: unknown): unknown {
  if (!isPerdureError(error, "activity-failed")) throw error;
  const { activity: name, attempts, cause } = error as Error & { activity: string; attempts: number };
  const last = cause as Error;
  return [name, attempts, last.name, last.message];
}
