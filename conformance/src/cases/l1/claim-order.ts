import { workflowTaskId } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park } from "../../scenes.ts";

export const claimOrderCases: readonly ConformanceCase[] = [
  {
    id: "claim.order",
    level: "L1",
    invariants: ["I27"],
    why: "Who waited longest is served first; a step of priority is worth ten seconds.",
    hint: "Order by readyAt − priority × 10 000, not by priority first: that starves.",
    async run(t) {
      const base = await t.time.now();
      const ages: readonly (readonly [id: string, age: number, priority: number])[] = [
        ["old and low", 95_000, -9],
        ["newest and high", 1_000, 9],
        ["older", 40_000, 0],
        ["old", 30_000, 0],
        ["high", 15_000, 2],
        ["low", 45_000, -2],
      ];
      for (const [runId, age, priority] of t.random.shuffle(ages)) {
        await t.create({ runId, priority, readyAt: base - age });
      }
      const worker = t.worker();
      const order = [];
      for (const _ of ages) order.push((await worker.take({ limit: 1 })).claim.runId);
      const rank = ([, age, priority]: (typeof ages)[number]): number => -age - priority * 10_000;
      const expected = ages.toSorted((a, b) => rank(a) - rank(b)).map(([id]) => id);
      equal(order, expected, "tasks come by ready time, less ten seconds for each step of priority");
    },
  },
  {
    id: "claim.order-within-one-answer",
    level: "L1",
    invariants: ["I27"],
    why: "A worker that takes many tasks starts them in the order of the answer.",
    async run(t) {
      // Stores may answer who asks for runs alone in a way of its own.
      for (const kinds of [["workflow"], ["workflow", "activity"]] as const) {
        const base = await t.time.now();
        const ids = Array.from({ length: 12 }, (_, index) => `run${kinds.length}-${String(index).padStart(2, "0")}`);
        for (const runId of t.random.shuffle(ids)) {
          const [index, priority] = [Number(runId.slice(5)), t.random.int(5)];
          await t.create({ runId, priority, readyAt: base - 80_000 + index * 10 + priority * 10_000 });
        }
        const { tasks } = await t.worker().claim({ kinds, limit: 12 });
        equal(
          tasks.map((task) => task.claim.runId),
          ids,
          "the answer is in the order of claiming",
        );
      }
    },
  },
  {
    id: "claim.order-of-many",
    level: "L1",
    invariants: ["I27"],
    why: "The order holds among many, also when some are taken out of the line.",
    async run(t) {
      for (let round = 0; round < 4; round++) {
        const base = await t.time.now();
        const moments = t.random.shuffle(Array.from({ length: 40 }, (_, index) => index));
        const runs = moments.map((moment) => {
          const priority = t.random.int(19) - 9;
          return t.make.run({ priority, readyAt: base - 200_000 + moment * 500 + priority * 10_000 });
        });
        await t.backend.createRuns(runs);
        const taken = t.random.shuffle(runs).slice(0, t.random.int(20));
        for (const { runId, incarnation } of taken) {
          await t.worker().take({ taskIds: [workflowTaskId(runId, incarnation)] });
        }
        const left = runs.filter((run) => !taken.includes(run));
        const expected = left.toSorted((a, b) => moments[runs.indexOf(a)]! - moments[runs.indexOf(b)]!);
        const order: string[] = [];
        while (order.length < left.length) {
          const { tasks } = await t.worker().claim({ limit: 1 + t.random.int(9) });
          check(tasks.length > 0, "what is left is handed out");
          order.push(...tasks.map(({ claim }) => claim.runId));
        }
        equal(
          order,
          expected.map(({ runId }) => runId),
          "by ready time, less ten seconds for each step of priority",
        );
      }
    },
  },
  {
    id: "claim.order-after-a-lease",
    level: "L1",
    invariants: ["I27"],
    why: "The run of a dead worker has had its turn: it stands in line from the end of the lease, not before all who waited.",
    hint: "While a claim stands, the end of its lease takes the place of readyAt.",
    async run(t) {
      const { run, task } = await heldRun(t, { readyAt: (await t.time.now()) - 60_000 }, t.time.short);
      await t.time.pass(10);
      const waiting = await t.create();
      await t.time.until(task.leaseUntil);
      const { tasks } = await t.worker().claim();
      equal(
        tasks.map(({ claim }) => claim.runId),
        [waiting.runId, run.runId],
        "who became ready meanwhile comes first",
      );
    },
  },
  {
    id: "claim.kinds-share-one-order",
    level: "L1",
    invariants: ["I27"],
    why: "Activities must not starve behind workflows, nor the other way round.",
    async run(t) {
      const base = await t.time.now();
      const { run, worker, task } = await heldRun(t, { runId: "parent" });
      await park(t, worker, task, {
        schedule: [
          t.make.activity(run, 2, { readyAt: base - 3_000 }),
          t.make.activity(run, 3, { readyAt: base - 1_000 }),
        ],
      });
      await t.create({ runId: "second", readyAt: base - 2_000 });
      const other = t.worker();
      const kinds = [];
      for (let index = 0; index < 3; index++) kinds.push((await other.claim({ limit: 1 })).tasks[0]?.kind);
      equal(kinds, ["activity", "workflow", "activity"], "one order for all");
    },
  },
];
