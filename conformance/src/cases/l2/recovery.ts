import { setTimeout as sleep } from "node:timers/promises";
import { activity, type RunHandle, signal, workflow } from "@perdure/core";
import type { StorageBackend, WorkflowCommit } from "@perdure/core/storage";
import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { wrapVerbs } from "../../verbs.ts";
import { bothWays } from "./both-ways.ts";
import type { MortalWorker } from "./mortal-worker.ts";

/** Of a worker that is going to die: somebody waits for it to end. */
const SHORT_LEASE_MS = 500;
const RUNS = 8;
const STEPS = 5;

const go = signal<number>("go");

export const recoveryCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.worker-dies-mid-activity",
    invariants: ["I8", "I12", "I13"],
    scenarios: ["S6"],
    why: "A process dies in the middle of a run: another one goes on when the lease has ended, and repeats nothing that is recorded.",
    hint: "Does a claim find a run whose lease is over, and does `nextReadyAt` tell an idle worker when that will be?",
    async play(lab) {
      const executed: number[] = [];
      const begun = Promise.withResolvers<void>();
      let resumedAt = 0;
      let fatal = true;
      const step = activity({ name: "step" }, async (n: number, { attempt }) => {
        executed.push(n);
        if (n === 2 && fatal) {
          begun.resolve();
          return new Promise<string>(() => {});
        }
        if (n === 2) resumedAt = await lab.storage.now();
        return `${n}/${attempt}`;
      });
      const definition = workflow({ name: "resumed", queue: lab.queue }, async (ctx) => {
        const done = [await ctx.run(step, 1)];
        await ctx.sleep(20);
        for (const n of [2, 3]) done.push(await ctx.run(step, n));
        return done;
      });
      const first = await lab.work([definition], { lease: SHORT_LEASE_MS });
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      fatal = false;
      await first.die();
      const held = await lab.storage.getRun(run.runId);
      await lab.work([definition]);
      equal(await lab.output(run), ["1/1", "2/1", "3/1"], "the run goes on where it was, and ends (I9)");
      equal(executed, [1, 2, 2, 3], "only what had no result is executed again, once for the crash (I13)");
      check(
        resumedAt >= held!.task!.leaseUntil!,
        "the dead worker's lease was over when another one took the run (I8)",
      );
    },
  }),
  bothWays({
    id: "replay.two-workers",
    invariants: ["I7", "I8", "I12", "I13"],
    scenarios: ["S8"],
    why: "Workers share their runs turn by turn: whoever goes on has seen all that the other one recorded, and nothing is recorded twice.",
    hint: "Does a claim hand a run to one worker only, with the head and the inbox as they are at that time?",
    async play(lab) {
      const executions = new Map<string, number>();
      const step = activity({ name: "step" }, async (n: number, { idempotencyKey }) => {
        executions.set(idempotencyKey, (executions.get(idempotencyKey) ?? 0) + 1);
        return n + 1;
      });
      const definition = workflow({ name: "shared", queue: lab.queue }, async (ctx, from: number) => {
        let n = from;
        for (let count = 0; count < STEPS; count++) {
          n = await ctx.run(step, n);
          await ctx.sleep(10);
          n += await ctx.waitFor(go);
        }
        return n;
      });
      // Small: each worker leaves some to the other.
      for (let count = 0; count < 2; count++) await lab.work([definition], { concurrency: 3 });
      const numbers = Array.from({ length: RUNS }, (_, index) => index * 100);
      const runs = await Promise.all(numbers.map((n) => lab.start(definition, n, { name: `shared-${n}` })));
      await Promise.all(
        runs.map(async (run) => {
          for (let count = 1; count <= STEPS; count++) {
            await lab.parked(run, "SIGNAL_AWAITED", count);
            await run.signal(go, 10);
          }
        }),
      );
      for (const [index, run] of runs.entries()) {
        equal(await lab.output(run), numbers[index]! + STEPS * 11, "every run has its right result (I12)");
      }
      equal(
        [...executions.values()],
        Array.from({ length: RUNS * STEPS }, () => 1),
        "every activity is executed once (I13)",
      );
    },
  }),
  bothWays({
    id: "lease.activity-outlives-it",
    invariants: ["I8", "I13"],
    why: "A lease is short so that a crash costs little: a worker that is alive renews it for as long as its work takes.",
    hint: "Is a renewal refused, or forgotten, after the first few?",
    alone: true,
    async play(lab) {
      // A machine that stalls may cost a worker its lease; not three times in a row.
      for (let tries = 1; ; tries++) {
        let executions = 0;
        const long = activity({ name: "long" }, async () => {
          executions++;
          await sleep(2_000);
          return "done";
        });
        const definition = workflow({ name: "long", queue: lab.queue }, (ctx) => ctx.run(long, undefined));
        const workers = [1, 2].map(() => lab.work([definition], { lease: 600 }));
        const id = lab.follow("long", `${lab.mode}-long-${tries}`);
        const run = await lab.client.start(definition, undefined, { id });
        equal(await lab.output(run), "done", "the run ends");
        for (const worker of await Promise.all(workers)) await worker.stop();
        if (executions === 1) return;
        check(
          tries < 3,
          `the activity is executed once although there is a second worker, not ${executions} times (I8)`,
        );
      }
    },
  }),
  bothWays({
    id: "replay.hand-over",
    invariants: ["I8", "I12", "I13"],
    why: "A deploy stops workers all day: what they do is finished, and what is left goes on elsewhere at once, without waiting for a lease.",
    async play(lab) {
      const executed: number[] = [];
      const begun = Promise.withResolvers<void>();
      const step = activity({ name: "step" }, async (n: number) => {
        executed.push(n);
        begun.resolve();
        await sleep(100);
        return n;
      });
      const definition = workflow({ name: "handed-over", queue: lab.queue }, async (ctx) => [
        await ctx.run(step, 1),
        await ctx.run(step, 2),
      ]);
      const first = await lab.work([definition], { lease: "10m" });
      const run = await lab.start(definition, undefined);
      await Promise.race([begun.promise, lab.output(run)]);
      await first.retire();
      equal(executed, [1], "the worker ends what it has begun, and begins nothing");
      contains(
        (await lab.storage.getRun(run.runId))?.task,
        { leaseUntil: null },
        "it holds nothing any more when it has stopped",
      );
      await lab.work([definition]);
      equal(await lab.output(run), [1, 2], "the other one goes on");
      equal(executed, [1, 2], "and repeats nothing (I13)");
    },
  }),
  bothWays({
    id: "replay.turn-in-parts",
    invariants: ["I3", "I4", "I9"],
    why: "A turn that is too large for one commit is made in several. Whoever looks when its worker has died between two of them sees a row that says what the history says; also when nobody goes on, and when somebody does.",
    hint: "Are the fields of the run's row written by each commit, whatever it does next?",
    async play(lab) {
      const definition = workflow(
        { name: "in-parts", queue: lab.queue, state: { initial: { n: 0 } } },
        async (ctx, wanted: number) => {
          for (let n = 1; n <= wanted; n++) {
            ctx.state.set("n", n);
            ctx.attributes.set({ n });
          }
          await ctx.waitFor(go);
        },
      );
      const stateAndAttributes = async (run: RunHandle<unknown, { n: number }>): Promise<unknown> => [
        await run.state(),
        (await lab.storage.getRun(run.runId))!.attributes,
      ];
      for (const isTerminated of [true, false]) {
        const storage = await lab.open();
        let parts = 0;
        const first: MortalWorker = await lab.work([definition], {
          lease: SHORT_LEASE_MS,
          storage: inParts(storage, 4, () => {
            if (++parts === 2) void first.die();
          }),
        });
        const run = await lab.start(definition, 9, { name: isTerminated ? "terminated" : "resumed" });
        await lab.until("two parts are recorded", async () => parts === 2);
        const last = (await run.history()).findLast(({ type }) => type === "STATE_SET");
        equal(await stateAndAttributes(run), [{ n: 3 }, { n: 3 }], "the row is what history says after two parts (I3)");
        equal(last?.data, { key: "n", value: 3 }, "which has come so far");
        if (isTerminated) await run.terminate();
        const second = await lab.work([definition]);
        if (!isTerminated) {
          await lab.parked(run, "SIGNAL_AWAITED");
          equal(await stateAndAttributes(run), [{ n: 9 }, { n: 9 }], "who goes on brings the row up to date");
          await run.signal(go, 0);
          await lab.output(run);
        } else await lab.cancelled(run);
        const n = isTerminated ? 3 : 9;
        equal(await stateAndAttributes(run), [{ n }, { n }], "and so it stays (I3)");
        await second.retire();
      }
    },
  }),
];

/** The storage as one that takes so many events in a commit. `taken` is told of each commit of events. */
function inParts(storage: StorageBackend, eventsPerCommit: number, taken: () => void): StorageBackend {
  const info = { ...storage.info, limits: { ...storage.info.limits, eventsPerCommit } };
  return {
    ...wrapVerbs(storage, async (verb, args, call) => {
      const answer = await call();
      if (verb === "commitTasks" && (args[0] as readonly WorkflowCommit[]).some(({ events }) => events?.length > 0))
        taken();
      return answer;
    }),
    info,
  };
}
