import { check, equal, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun } from "../../scenes.ts";
import { pages } from "../l1/pages.ts";

export const crowdReadCases: readonly ConformanceCase[] = [
  {
    id: "events.read-while-appending",
    level: "L3",
    invariants: ["I1", "I2", "I3"],
    why: "A dashboard reads while the run goes on: it sees whole commits, without gaps, and never less than before.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const reader = await t.open();
      const writing = new Set(["commits"]);
      const write = (async () => {
        for (let commit = 0; commit < 15; commit++) {
          const events = t.make.events(5);
          await worker.commit(t.make.turn(task, { expectedSeq: 1 + commit * 5, events, next: { do: "hold" } }));
        }
        writing.clear();
      })();
      const read = (async () => {
        for (let head = 0; writing.size > 0 || head < 76;) {
          const [page] = await reader.readEvents([{ runId: run.runId, after: 0 }]);
          const seqs = page!.events.map(({ seq }) => seq);
          const { lastSeq } = page!;
          check(
            seqs.every((seq, index) => seq === index + 1),
            "a page has no gap",
          );
          check(lastSeq >= head, "no read shows less than an earlier one");
          equal(lastSeq % 5, 1, "a commit is seen as a whole");
          equal(seqs.length, Math.min(lastSeq, t.info.limits.eventPage), "the head and the events agree");
          head = lastSeq;
        }
      })();
      await Promise.all([write, read]);
    },
  },
  {
    id: "cache.fifty-writers",
    level: "L3",
    invariants: ["I12"],
    guards: ["concurrent-writer-kept-out"],
    why: "Fifty runs computed one memoised activity at once; all of them must record the same value.",
    async run(t) {
      const clients = await t.clients(5);
      const entry = t.make.cacheEntry();
      const calls = Array.from({ length: 50 }, (_, index) =>
        clients[index % 5]!.writeCache([{ ...entry, value: `"${index}"` }]),
      );
      const answers = (await Promise.all(calls)).flat();
      equal(answers.filter((answer) => answer.status === "written").length, 1, "one is written");
      const values = answers.map((answer) => answer.status !== "lease-lost" && answer.entry.value);
      equal(new Set(values).size, 1, "all are told of the same one");
      t.guard("concurrent-writer-kept-out");
      equal((await t.backend.readCache([entry.key]))[0]?.value, values[0], "which is read");
    },
  },
  {
    id: "list.paging-in-a-crowd",
    level: "L3",
    invariants: ["I19"],
    why: "Pages are read while others start, end and purge runs, from many clients at once.",
    async run(t) {
      const stays: string[] = [];
      for (let index = 0; index < 15; index++) {
        stays.push((await t.create({ queue: "stays" })).runId);
        await t.time.pass(1);
      }
      await t.listed(async () =>
        equal((await pages(t.backend, { limit: 100 })).flatMap(({ items }) => items).length, 15, "all are there"),
      );
      const clients = await t.clients(3);
      const reading = new Set(["pages"]);
      const noise = clients.map(async (client) => {
        const worker = t.worker(client);
        for (let round = 0; round < 60 && reading.size > 0; round++) {
          await client.createRuns([t.make.run()]);
          for (const task of (await worker.claim({ limit: 2 })).tasks) {
            if (task.kind === "workflow") await worker.commit(t.make.final(task));
          }
          await client.purgeRuns({ closedBefore: (await client.now()) + 1, minAgeMs: 0, limit: 2 });
        }
      });
      const read = (async () => {
        try {
          for (let round = 0; round < 5; round++) {
            const seen = (await pages(t.backend, { limit: 4 })).flatMap(({ items }) => items.map(({ runId }) => runId));
            unique(seen, "no run is seen twice");
            for (const runId of stays) check(seen.includes(runId), "no run that stays is missed");
          }
        } finally {
          reading.clear();
        }
      })();
      await Promise.all([...noise, read]);
    },
  },
  {
    id: "list.stats-after-a-crowd",
    level: "L3",
    invariants: ["I20"],
    why: "After a day of everything at once, the counts are still those of the lists.",
    async run(t) {
      const clients = await t.clients(4);
      await Promise.all(
        clients.map(async (client) => {
          const worker = t.worker(client);
          for (let round = 0; round < 20; round++) {
            await client.createRuns(t.make.runs(2, { queue: t.random.pick(["main", "side"]) }));
            for (const task of (await worker.claim({ queues: ["main", "side"], limit: 2 })).tasks) {
              if (task.kind === "activity") await worker.commit(t.make.outcome(task));
              else await worker.commit(t.random.pick([turn, final, blocked])(task));
            }
          }
          function turn(task: Parameters<typeof t.make.turn>[0]): ReturnType<typeof t.make.turn> {
            return t.make.turn(task, { schedule: [t.make.activity(task.run, task.lastSeq + 1)] });
          }
          function final(task: Parameters<typeof t.make.turn>[0]): ReturnType<typeof t.make.turn> {
            return t.make.final(task);
          }
          function blocked(task: Parameters<typeof t.make.turn>[0]): ReturnType<typeof t.make.turn> {
            return t.make.turn(task, { next: { do: "block", reason: '"why"', until: null } });
          }
        }),
      );
      await t.listed(async () => {
        const stats = await t.backend.stats();
        const items = (await pages(t.backend, { limit: 100 })).flatMap((page) => page.items);
        const count = (test: (item: (typeof items)[number]) => boolean): number => items.filter(test).length;
        const runs = { open: 0, completed: 0, failed: 0, cancelled: 0 };
        for (const item of items) runs[item.status] += 1;
        equal(stats.runs, runs, "runs by status");
        const workflows = stats.queues.filter(({ kind }) => kind === "workflow");
        for (const { queue, ready, leased, waiting, blocked } of workflows) {
          const own = (item: (typeof items)[number]): boolean => item.queue === queue && item.task !== null;
          equal(
            blocked,
            count((item) => own(item) && item.task!.blocked !== null),
            `blocked runs of ${queue}`,
          );
          equal(ready + leased + waiting + blocked, count(own), `tasks of ${queue}`);
        }
      });
    },
  },
];
