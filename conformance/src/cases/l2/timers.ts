import { type Workflow, activity, signal, workflow } from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

/** A timer may be late on a busy machine, but it must not be forgotten. */
const LATE_MS = 5_000;

const go = signal<string>("go");

export const timerCases: readonly ConformanceCase[] = [
  bothWays({
    id: "timer.sleep-across-a-restart",
    invariants: ["I10", "I11", "I12"],
    scenarios: ["S12"],
    why: "A sleep outlives the process that asked for it: whoever is there at the time goes on, once, and not before.",
    hint: "Is `wakeAt` stored with the park, and does a claim at that time find the run?",
    async play(lab) {
      const woke: number[] = [];
      const note = activity({ name: "note" }, async () => void woke.push(await lab.storage.now()));
      const definition = workflow({ name: "sleeper", queue: lab.queue }, async (ctx) => {
        await ctx.sleep(500);
        await ctx.run(note, undefined);
        await ctx.sleep(60);
        await ctx.run(note, undefined);
        return "awake";
      });
      const first = await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "TIMER_STARTED");
      await first.die();
      await lab.work([definition]);
      await lab.work([definition]);
      equal(await lab.output(run), "awake", "the run goes on without the worker that it fell asleep on");
      equal(woke.length, 2, "it goes on once after each sleep");
      const history = await run.history();
      const due = history.flatMap((event) => (event.type === "TIMER_STARTED" ? [event.data.dueAt] : []));
      const fired = history.flatMap((event) => (event.type === "TIMER_FIRED" ? [event.at] : []));
      for (const [index, dueAt] of due.entries()) {
        check(fired[index]! >= dueAt && woke[index]! >= dueAt, `sleep ${index + 1} is never short (I10)`);
        check(fired[index]! <= dueAt + LATE_MS, `sleep ${index + 1} ends on time (I10)`);
      }
    },
  }),
  bothWays({
    id: "timer.sleep-swallows-nothing",
    invariants: ["I10", "I14"],
    scenarios: ["S13"],
    why: "A run is suspended without an exception: code that catches everything sleeps like any other.",
    async play(lab) {
      const definition = workflow({ name: "catches", queue: lab.queue }, async (ctx) => {
        let caught = 0;
        for (let count = 0; count < 4; count++) {
          try {
            await ctx.sleep(25);
          } catch {
            caught++;
          }
        }
        return caught;
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      equal(await lab.output(run), 0, "nothing was thrown to suspend the run");
      const history = await run.history();
      const started = history[0]!.at;
      check(history.at(-1)!.at >= started + 100, "every sleep was slept (I10)");
      await lab.recorded(
        run,
        [0, 1, 2, 3].flatMap(() => ["TIMER_STARTED", "TIMER_FIRED"] as const),
        "one after the other",
      );
    },
  }),
  bothWays({
    id: "timer.deadline",
    invariants: ["I9", "I10"],
    why: "A run that is not over by its deadline ends then, whatever it waits for, also when nobody has its code any more.",
    hint: "Is a run past its `deadlineAt` handed to any worker of its queue that asks for overdue ones?",
    async play(lab) {
      const { queue } = lab;
      const endless = workflow({ name: "endless", queue }, (ctx) => ctx.sleep("1h"));
      const other = workflow({ name: "other", queue }, async () => "other");
      const first = await lab.work([endless, other]);
      const run = await lab.start(endless, undefined, { timeout: "1s" });
      await lab.until("the run has begun", async () => (await run.history()).length > 1);
      await first.stop();
      await lab.work([other]);
      const { failure } = await lab.failed(run);
      equal([failure.name, failure.code], ["TimedOutError", "timed-out"], "the run fails typed");
      const { deadlineAt } = await run.describe();
      check((await run.history()).at(-1)!.at >= deadlineAt!.getTime(), "not before its deadline (I10)");
    },
  }),
  bothWays({
    id: "timer.deadline-of-a-blocked-run",
    invariants: ["I9", "I10"],
    why: "A run that no code can carry on any more ends at its deadline all the same.",
    hint: "Is a run whose block is over at `until` claimable like any other?",
    async play(lab) {
      const code = (step: string): Workflow<undefined, string> =>
        workflow({ name: "overdue", queue: lab.queue }, async (ctx) => {
          await ctx.run(step, () => step);
          return ctx.waitFor(go);
        });
      const [before, after] = [code("charge"), code("bill")];
      const first = await lab.work([before]);
      const run = await lab.start(before, undefined, { timeout: "2s" });
      await lab.parked(run, "SIGNAL_AWAITED");
      await first.stop();
      await lab.work([after]);
      await run.signal(go, "now");
      await lab.until("the run ends although it is blocked", async () => (await run.status()) === "failed");
      const { failure } = await lab.failed(run);
      equal(failure.code, "timed-out", "the run fails typed");
      const { deadlineAt } = await run.describe();
      check((await run.history()).at(-1)!.at >= deadlineAt!.getTime(), "not before its deadline (I10)");
      lab.definitions.set(before.name, before);
    },
  }),
];
