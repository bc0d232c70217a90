import { activity, isPerdureError, workflow } from "@perdure/core";
import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

export const activityCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.same-activity-twice",
    invariants: ["I12", "I14"],
    scenarios: ["S1"],
    why: "Results belong to calls, not to names: an activity that is called twice has two inputs and two results.",
    hint: "Do the events of a run come back in the order of their seq, each with the data that it was written with?",
    async play(lab) {
      const inputs: number[] = [];
      const double = activity({ name: "double" }, async (n: number) => {
        inputs.push(n);
        return n * 2;
      });
      const definition = workflow({ name: "twice", queue: lab.queue }, async (ctx) => {
        const first = await ctx.run(double, 3);
        await ctx.sleep(20);
        return [first, await ctx.run(double, 5)];
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), [6, 10], "each call has its own result (I12)");
      equal(inputs, [3, 5], "each call is executed once, with its own input");
      const history = await run.history();
      const seen = history.flatMap((event) => (event.type === "ACTIVITY_COMPLETED" ? [event.data] : []));
      contains(seen[0], { input: 3, output: 6, attempt: 1 }, "the first is recorded");
      contains(seen[1], { input: 5, output: 10, attempt: 1 }, "the second is recorded");
    },
  }),
  bothWays({
    id: "replay.same-input-twice",
    invariants: ["I12", "I13"],
    scenarios: ["S2"],
    why: "A second call with the same input is a second call: nobody asked for it to be remembered.",
    async play(lab) {
      let executions = 0;
      const keys = new Set<string>();
      const roll = activity({ name: "roll" }, async (_sides: number, { idempotencyKey }) => {
        keys.add(idempotencyKey);
        return ++executions;
      });
      const definition = workflow({ name: "rolls", queue: lab.queue }, async (ctx) => {
        const first = await ctx.run(roll, 6);
        await ctx.sleep(20);
        return [first, await ctx.run(roll, 6), await ctx.run("inline", () => 3)];
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), [1, 2, 3], "both calls have results of their own");
      equal(executions, 2, "both calls are executed");
      equal(keys.size, 2, "each has a key of its own for the system that it calls");
    },
  }),
  bothWays({
    id: "replay.retry-then-success",
    invariants: ["I12", "I16"],
    scenarios: ["S3"],
    why: "What failed is tried again by its policy, not before its delay has passed, and the workflow sees only the success.",
    hint: "Is a park until `wakeAt` kept, and does the run come back by itself?",
    async play(lab) {
      const began: number[] = [];
      const flaky = activity({ name: "flaky", retry: { delay: 60, jitter: 0 } }, async (_: undefined, { attempt }) => {
        began.push(await lab.storage.now());
        if (attempt === 1) throw new Error("not yet");
        return `attempt ${attempt}`;
      });
      const definition = workflow({ name: "retries", queue: lab.queue }, (ctx) => ctx.run(flaky, undefined));
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), "attempt 2", "the second attempt is the result");
      const history = await run.history();
      const retrying = history.find((event) => event.type === "ACTIVITY_RETRYING");
      contains(retrying?.data, { attempt: 1, activity: "flaky" }, "the failed attempt is recorded");
      contains(
        history.find((event) => event.type === "ACTIVITY_COMPLETED")?.data,
        { attempt: 2 },
        "so is the number of the one that succeeded",
      );
      equal(began.length, 2, "there are two executions");
      const byAnyClock = began[1]! + lab.t.time.errorMs;
      check(byAnyClock >= retrying!.data.dueAt, "the second attempt does not begin before its time (I16)");
      await lab.recorded(run, ["ACTIVITY_RETRYING", "ACTIVITY_COMPLETED"], "nothing else happened");
    },
  }),
  bothWays({
    id: "replay.retries-exhausted",
    invariants: ["I12", "I16"],
    scenarios: ["S4"],
    why: "A workflow catches a typed failure and compensates: the failure must be the same when the code is replayed.",
    async play(lab) {
      let attempts = 0;
      const hopeless = activity({ name: "hopeless", retry: { maximumAttempts: 3, delay: 15 } }, async () => {
        attempts++;
        throw new RangeError(`failure ${attempts}`);
      });
      const undone: string[] = [];
      const undo = activity({ name: "undo" }, async (what: string) => void undone.push(what));
      const definition = workflow({ name: "compensates", queue: lab.queue }, async (ctx) => {
        try {
          await ctx.run(hopeless, undefined);
          return "no failure";
        } catch (error) {
          if (!isPerdureError(error, "activity-failed")) throw error;
          const { activity: name, attempts: tried, cause } = error as Error & { activity: string; attempts: number };
          const last = cause as Error;
          await ctx.sleep(20);
          await ctx.run(undo, name);
          return [name, tried, last.name, last.message];
        }
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(
        await lab.output(run),
        ["hopeless", 3, "RangeError", "failure 3"],
        "the failure is typed and has its cause",
      );
      equal(attempts, 3, "the policy's attempts are made, and no more (I16)");
      equal(undone, ["hopeless"], "the compensation is executed once");
      await lab.recorded(
        run,
        [
          "ACTIVITY_RETRYING",
          "ACTIVITY_RETRYING",
          "ACTIVITY_FAILED",
          "TIMER_STARTED",
          "TIMER_FIRED",
          "ACTIVITY_COMPLETED",
        ],
        "each attempt is recorded",
      );
    },
  }),
  bothWays({
    id: "replay.attempt-timeout",
    invariants: ["I12", "I16"],
    scenarios: ["S5"],
    why: "An attempt that hangs must not hang the run: it ends at its limit, and its late result changes nothing.",
    async play(lab) {
      const reasons: string[] = [];
      const hanging = activity(
        { name: "hanging", timeout: 120, retry: { maximumAttempts: 2, delay: 15 } },
        (_: undefined, { attempt, signal }) => {
          if (attempt > 1) return `attempt ${attempt}`;
          return new Promise<string>((resolve) => {
            signal.addEventListener("abort", () => {
              reasons.push((signal.reason as Error).name);
              resolve("late");
            });
          });
        },
      );
      const definition = workflow({ name: "impatient", queue: lab.queue }, (ctx) => ctx.run(hanging, undefined));
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), "attempt 2", "the attempt that hangs is given up, and repeated");
      equal(reasons, ["TimedOutError"], "its code is told why");
      const retrying = (await run.history()).find((event) => event.type === "ACTIVITY_RETRYING");
      contains(retrying?.data.failure, { name: "TimedOutError", code: "timed-out" }, "the failure is recorded, typed");
      await lab.recorded(run, ["ACTIVITY_RETRYING", "ACTIVITY_COMPLETED"], "the late result is not");
    },
  }),
  bothWays({
    id: "replay.parallel-one-retried",
    invariants: ["I12", "I13", "I14"],
    scenarios: ["S14"],
    why: "Of activities that run side by side, one that fails must not repeat the others, and results keep the order of the calls.",
    async play(lab) {
      const executed: string[] = [];
      const part = activity({ name: "part", retry: { delay: 40 } }, async (name: string, { attempt }) => {
        executed.push(`${name}${attempt}`);
        if (name === "b" && attempt === 1) throw new Error("once");
        return name.toUpperCase();
      });
      const definition = workflow({ name: "parallel", queue: lab.queue }, (ctx) =>
        Promise.all(["a", "b", "c"].map((name) => ctx.run(part, name))),
      );
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), ["A", "B", "C"], "results stand in the order of the calls");
      equal(executed.toSorted(), ["a1", "b1", "b2", "c1"], "only the one that failed is executed again");
      const retried = (await run.history()).filter(({ type }) => type === "ACTIVITY_RETRYING");
      equal(
        retried.map(({ command }) => command),
        [2],
        "only the one that failed is recorded as tried again",
      );
    },
  }),
  bothWays({
    id: "replay.race-and-any",
    invariants: ["I12", "I14"],
    why: "Who wins a race was decided once, and is the winner in every replay.",
    hint: "Are events handed back in the order in which they were written?",
    async play(lab) {
      const failing = activity({ name: "failing", retry: 1 }, async (name: string) => {
        throw new Error(name);
      });
      const definition = workflow({ name: "races", queue: lab.queue }, async (ctx) => {
        const raced = await Promise.race([ctx.sleep("1h").then(() => "timer"), ctx.sleep(20).then(() => "quick")]);
        const settled = await Promise.allSettled([ctx.run(failing, "one"), ctx.run("fine", () => "two")]);
        const any = await Promise.any([ctx.run(failing, "three"), ctx.sleep(30).then(() => "slept")]);
        await ctx.sleep(10);
        return [raced, settled.map(({ status }) => status), any];
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), ["quick", ["rejected", "fulfilled"], "slept"], "each has its winner");
    },
  }),
];
