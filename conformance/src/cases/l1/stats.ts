import type { RunStatus, StorageBackend } from "@perdure/core/storage";
import { check, contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park, parkedRun } from "../../scenes.ts";
import { pages } from "./pages.ts";

/** The counts that the list implies. */
async function fold(backend: StorageBackend): Promise<Record<RunStatus, number>> {
  const counts = { open: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const { items } of await pages(backend, { limit: 100 })) for (const { status } of items) counts[status] += 1;
  return counts;
}

export const statsCases: readonly ConformanceCase[] = [
  {
    id: "list.stats-of-runs",
    level: "L1",
    invariants: ["I20"],
    why: "Counters that are kept beside the data drift; an alert on a wrong count is worse than none.",
    async run(t) {
      const worker = t.worker();
      const ends = ["completed", "failed", "cancelled", "completed", "failed", "completed"] as const;
      for (const [index, end] of ends.entries()) {
        const run = await t.create({ runId: `run-${index}` });
        await t.backend.createRuns([run, { ...run, startHash: "other" }]);
        const task = await worker.take();
        const commit = t.make.final(task, { close: { status: end } });
        await worker.commit(commit);
        await worker.commit(commit);
        await worker.commit({ ...commit, commitId: "again" });
      }
      await t.create();
      await t.create();
      await t.listed(async () => {
        const { runs } = await t.backend.stats();
        equal(runs, { open: 2, completed: 3, failed: 2, cancelled: 1 }, "each run counts once");
        equal(runs, await fold(t.backend), "as in the list");
      });
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, status: ["failed"], limit: 10 });
      await t.listed(async () => {
        equal((await t.backend.stats()).runs, { open: 2, completed: 3, failed: 0, cancelled: 1 }, "purged runs do not");
      });
    },
  },
  {
    id: "list.stats-of-queues",
    level: "L1",
    invariants: ["I20"],
    why: "Backlog and age of each queue are what people scale by.",
    async run(t) {
      const early = await t.open();
      const now = await t.time.now();
      await t.create({ queue: "b", readyAt: now - 7_000 });
      await t.create({ queue: "b", readyAt: now - 9_000, priority: 3 });
      await t.create({ queue: "b", readyAt: now + 900_000 });
      const b = { queues: ["a"] };
      const held = await heldRun(t, { queue: "a" }, 60_000, b);
      await parkedRun(t, { queue: "a" }, b);
      const blocked = await heldRun(t, { queue: "a" }, 60_000, b);
      const block = { next: { do: "block", reason: '"why"', until: null } } as const;
      await park(t, blocked.worker, blocked.task, block);
      const mended = await heldRun(t, { queue: "a" }, 60_000, b);
      await park(t, mended.worker, mended.task, block);
      await mended.worker.take({ taskIds: [mended.task.claim.taskId] });
      await held.worker.commit(
        t.make.turn(held.task, {
          events: t.make.events(4),
          schedule: [
            t.make.activity(held.run, 2, { queue: "a" }),
            t.make.activity(held.run, 3, { queue: "a", readyAt: now - 3_000 }),
            t.make.activity(held.run, 4, { queue: "a", readyAt: now + 900_000 }),
            t.make.activity(held.run, 5, { queue: "B" }),
          ],
          next: { do: "hold" },
        }),
      );
      await t.listed(async () => {
        const { queues, now: at } = await t.backend.stats();
        check(at >= now, "the counts are of the storage's now");
        equal(
          queues.map(({ queue, kind }) => `${queue} ${kind}`),
          ["B activity", "a activity", "a workflow", "b workflow"],
          "queues that have a task, in byte order, then kinds",
        );
        contains(
          queues[1],
          { ready: 2, leased: 0, waiting: 1, blocked: 0, oldestReadyAt: now - 3_000 },
          "activities of a",
        );
        contains(queues[2], { ready: 0, leased: 2, waiting: 1, blocked: 1, oldestReadyAt: null }, "workflows of a");
        contains(
          queues[3],
          { ready: 2, leased: 0, waiting: 1, blocked: 0, oldestReadyAt: now - 9_000 },
          "workflows of b",
        );
        equal((await early.stats()).queues, queues, "a client that was there before them counts the same");
      });
    },
  },
  {
    id: "list.stats-in-byte-order",
    level: "L1",
    invariants: ["I20", "I22"],
    why: "The same queues come in the same order, whatever the collation of the store or the strings of the language.",
    hint: "Sort with `compareBytes`: `<` compares halves of surrogate pairs.",
    async run(t) {
      const queues = ["B", "a", "a ", "é", "ﬀ", "😀"];
      for (const queue of t.random.shuffle(queues)) await t.create({ queue });
      await t.listed(async () => {
        const found = (await t.backend.stats()).queues;
        equal(
          found.map(({ queue }) => queue),
          queues,
          "in the order of their bytes",
        );
      });
    },
  },
  {
    id: "list.stats-follow-time",
    level: "L1",
    invariants: ["I20", "I24"],
    why: "A dead worker's tasks are ready again, and a timer that came due is, without anybody writing anything.",
    async run(t) {
      const { task } = await heldRun(t, {}, t.time.short);
      await t.create({ readyAt: task.leaseUntil });
      const blocked = await heldRun(t);
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: task.leaseUntil } });
      await t.listed(async () => {
        const { queues, now } = await t.backend.stats();
        if (now < task.leaseUntil)
          contains(queues[0], { ready: 0, leased: 1, blocked: 1, waiting: 1 }, "held, blocked and waiting at first");
      });
      await t.time.until(task.leaseUntil);
      await t.listed(async () => {
        const [main] = (await t.backend.stats()).queues;
        contains(main, { ready: 3, leased: 0, blocked: 0, waiting: 0 }, "all are ready then");
      });
    },
  },
];
