import { type ClaimedTask, workflowTaskId } from "@perdure/core/storage";
import { check, equal, status, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { drain, together } from "./together.ts";

export const sharingCases: readonly ConformanceCase[] = [
  {
    id: "claim.clients-times-tasks",
    level: "L3",
    invariants: ["I8", "I27"],
    why: "Many workers share one queue: each task goes to one of them, and none is left.",
    hint: "Choose and lease in one statement; skip rows that somebody else is choosing.",
    timeoutMs: 120_000,
    async run(t) {
      const count = t.full ? 5_000 : 200;
      const clients = await t.clients(t.full ? 20 : 6);
      const size = Math.min(t.info.limits.batch, 500);
      for (let made = 0; made < count; made += size)
        await t.backend.createRuns(t.make.runs(Math.min(size, count - made)));
      const seen: ClaimedTask[] = [];
      await together(clients, (client) => drain(t, t.worker(client), async (task) => seen.push(task)));
      unique(
        seen.map(({ claim }) => claim.runId),
        "no task is handed out twice",
      );
      equal(seen.length, count, "every task is handed out");
      check(
        seen.every(({ claim }) => claim.epoch === 1),
        "each by its first acquisition",
      );
    },
  },
  {
    id: "claim.activities-of-one-run",
    level: "L3",
    invariants: ["I8", "I12"],
    why: "A fan-out spreads over the fleet: each activity is one worker's, and each outcome arrives once.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const count = Math.min(100, t.info.limits.tasksPerCommit);
      const schedule = Array.from({ length: count }, (_, index) => t.make.activity(run, index + 2));
      await park(t, worker, task, { events: t.make.events(count), schedule });
      const clients = await t.clients(6);
      const seen: string[] = [];
      await together(clients, async (client) => {
        const own = t.worker(client);
        for (let empty = 0, claims = 0; empty < 2; claims++) {
          check(claims < 1_000, "claiming comes to an end");
          const { tasks } = await own.claim({ kinds: ["activity"], limit: 1 + t.random.int(5) });
          empty = tasks.length === 0 ? empty + 1 : 0;
          for (const activity of tasks) {
            check(activity.kind === "activity", "only activities are asked for");
            seen.push(activity.claim.taskId);
            status(await own.commit(t.make.outcome(activity)), "ok", "its holder completes it");
          }
        }
      });
      unique(seen, "no activity is handed out twice");
      equal(seen.length, count, "every activity is handed out");
      const { messages } = await t.worker().take();
      equal(
        messages.map(({ no }) => no),
        Array.from({ length: count }, (_, i) => i + 1),
        "every outcome is there, once",
      );
      unique(
        messages.map(({ dedupeId }) => dedupeId),
        "each is another's",
      );
    },
  },
  {
    id: "claim.one-task-many-claimants",
    level: "L3",
    invariants: ["I8"],
    guards: ["claim-race-lost"],
    why: "The moment in which a run becomes ready is the moment in which everybody asks.",
    async run(t) {
      const clients = await t.clients(5);
      const workers = Array.from({ length: 20 }, (_, index) => t.worker(clients[index % clients.length]));
      for (let round = 0; round < (t.full ? 100 : 12); round++) {
        const { runId } = await t.create();
        // Some ask for runs alone, which stores may answer in a way of its own.
        const results = await Promise.all(
          workers.map((worker, index) => worker.claim(index % 3 === 0 ? {} : { kinds: ["workflow"] })),
        );
        const won = results.flatMap(({ tasks }) => tasks);
        equal(
          won.map(({ claim }) => [claim.runId, claim.epoch]),
          [[runId, 1]],
          "one of twenty gets it",
        );
        t.guard("claim-race-lost");
      }
    },
  },
  {
    id: "claim.by-id-many-claimants",
    level: "L3",
    invariants: ["I8"],
    why: "Two operators terminate one run: one of them claims it, also when a worker wants it.",
    async run(t) {
      const clients = await t.clients(4);
      for (let round = 0; round < (t.full ? 100 : 10); round++) {
        const run = await t.create();
        const taskIds = [workflowTaskId(run.runId, run.incarnation)];
        const results = await together(clients, (client, index) =>
          t.worker(client).claim(index % 2 === 0 ? { taskIds } : {}),
        );
        equal(results.flatMap(({ tasks }) => tasks).length, 1, "one of four gets it");
      }
    },
  },
  {
    id: "claim.while-runs-are-created",
    level: "L3",
    invariants: ["I8", "I11"],
    why: "Starts and claims go on at the same time; no run is lost between them.",
    async run(t) {
      const [starters, workers] = [await t.clients(3), await t.clients(3)];
      const count = 20;
      const seen: string[] = [];
      await Promise.all([
        together(starters, async (client) => {
          for (let index = 0; index < count; index++) await client.createRuns([t.make.run()]);
        }),
        together(workers, async (client) => {
          const worker = t.worker(client);
          for (let turn = 0; turn < 400 && seen.length < 3 * count; turn++) {
            for (const task of (await worker.claim({ limit: 3 })).tasks) {
              check(task.kind === "workflow", "workflow tasks only");
              seen.push(task.claim.runId);
              status(await worker.commit(t.make.final(task)), "ok", "its holder finishes it");
            }
            if (turn % 10 === 9) await t.time.wait(1);
          }
        }),
      ]);
      await drain(t, t.worker(), async ({ claim }) => seen.push(claim.runId));
      unique(seen, "no run is handed out twice");
      equal(seen.length, 3 * count, "every run is handed out");
    },
  },
  {
    id: "claim.old-and-low-is-not-starved",
    level: "L3",
    invariants: ["I27"],
    why: "A stream of urgent runs must not keep an unimportant one waiting for ever.",
    hint: "Each step of priority is worth ten seconds of waiting, no more.",
    async run(t) {
      const base = await t.time.now();
      await t.create({ runId: "patient", priority: -9, readyAt: base - 181_000 });
      for (let index = 0; index < 5; index++) await t.create({ priority: 9, readyAt: base });
      equal((await t.worker().take({ limit: 1 })).claim.runId, "patient", "who waited long enough is first");
      await t.create({ runId: "impatient", priority: -9, readyAt: base - 170_000 });
      const { tasks } = await t.worker().claim({ limit: 6 });
      equal(tasks.at(-1)?.claim.runId, "impatient", "who did not is last");
    },
  },
  {
    id: "claim.no-queue-starves",
    level: "L3",
    invariants: ["I27"],
    why: "A worker of two queues serves who waited longest, whatever the queue.",
    async run(t) {
      const base = await t.time.now();
      for (let index = 0; index < 10; index++) {
        await t.create({
          runId: `run-${index}`,
          queue: index % 3 === 0 ? "slow" : "busy",
          readyAt: base - 10_000 + index,
        });
      }
      const worker = t.worker();
      const order = [];
      for (let index = 0; index < 10; index++) {
        order.push((await worker.take({ queues: ["busy", "slow"], limit: 1 })).claim.runId);
      }
      equal(
        order,
        Array.from({ length: 10 }, (_, index) => `run-${index}`),
        "one order over all queues",
      );
    },
  },
  {
    id: "claim.setup-while-working",
    level: "L3",
    invariants: ["I25"],
    why: "A new process starts while others work.",
    async run(t) {
      const clients = await t.clients(3);
      const worker = t.worker();
      let finished = 0;
      await Promise.all([
        ...clients.map(async (client) => {
          for (let round = 0; round < 5; round++) await client.setup();
        }),
        (async () => {
          for (let round = 0; round < 15; round++) {
            await t.create();
            const task = await worker.take();
            if ((await worker.commit(t.make.final(task))).status === "ok") finished += 1;
          }
        })(),
      ]);
      equal(finished, 15, "nobody is disturbed");
    },
  },
  {
    id: "purge.beside-the-working",
    level: "L3",
    invariants: ["I26"],
    why: "The nightly purge runs from several processes while work goes on: each run is purged once, none that lives.",
    async run(t) {
      for (let index = 0; index < 30; index++) await doneRun(t, { queue: "q" }, { queues: ["q"] });
      const closedBefore = (await t.time.now()) + 1;
      const clients = await t.clients(4);
      const living = t.worker();
      const counts = await Promise.all([
        ...clients.map(async (client) => {
          let sum = 0;
          for (let step = 0; step < 12; step++) {
            sum += (await client.purgeRuns({ closedBefore, minAgeMs: 0, limit: 4 })).purged;
          }
          return sum;
        }),
        (async () => {
          for (let round = 0; round < 10; round++) {
            await t.create();
            const task = await living.take();
            status(await living.commit(t.make.turn(task)), "ok", "work goes on");
          }
          return 0;
        })(),
      ]);
      equal(
        counts.reduce((sum, count) => sum + count, 0),
        30,
        "each finished run is purged once",
      );
      await t.listed(async () => equal((await t.backend.stats()).runs.open, 10, "the living are there"));
    },
  },
];
