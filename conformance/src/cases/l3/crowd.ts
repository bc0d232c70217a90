import { check, equal, status, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park } from "../../scenes.ts";
import { history } from "../../snapshot.ts";
import { pages } from "../l1/list.ts";

export const crowdCases: readonly ConformanceCase[] = [
  {
    id: "create.fifty-callers-one-run",
    level: "L3",
    invariants: ["I15"],
    guards: ["concurrent-start-refused"],
    why: "An impatient user clicks, a load balancer repeats: fifty starts with one key are one run.",
    hint: "Let the primary key decide; never look first and insert then.",
    async run(t) {
      const clients = await t.clients(5);
      for (let round = 0; round < (t.full ? 100 : 4); round++) {
        const run = t.make.run();
        const calls = Array.from({ length: 50 }, (_, index) => {
          const own = { ...run, incarnation: t.make.run().incarnation };
          return clients[index % clients.length]!.createRuns([own]);
        });
        const answers = (await Promise.all(calls)).flat();
        equal(answers.filter((answer) => answer.status === "created").length, 1, "one of fifty creates it");
        equal(answers.filter((answer) => answer.status === "existing").length, 49, "the others find it");
        equal(new Set(answers.map((answer) => answer.run.incarnation)).size, 1, "and all are told of the same one");
        t.guard("concurrent-start-refused");
        equal((await history(t.backend, run.runId)).length, 1, "it was started once");
      }
      await t.listed(async () => {
        equal((await t.backend.stats()).runs.open, t.full ? 100 : 4, "there is one run for each key");
      });
    },
  },
  {
    id: "create.fifty-different-starts",
    level: "L3",
    invariants: ["I15"],
    why: "Fifty different starts with one id: one wins, and the others hear of the conflict.",
    async run(t) {
      const clients = await t.clients(5);
      const { runId } = t.make.run();
      const calls = Array.from({ length: 50 }, (_, index) => clients[index % 5]!.createRuns([t.make.run({ runId })]));
      const statuses = (await Promise.all(calls)).flat().map((answer) => answer.status);
      equal(statuses.filter((one) => one === "created").length, 1, "one wins");
      equal(statuses.filter((one) => one === "conflict").length, 49, "the others hear of it");
    },
  },
  {
    id: "create.crossing-batches",
    level: "L3",
    invariants: ["I3", "I15"],
    why: "Batches that name the same runs in another order must not wait for each other for ever.",
    hint: "Lock rows in one order, by run id; repeat what the database chose as a deadlock's victim.",
    async run(t) {
      const clients = await t.clients(6);
      const runs = t.make.runs(20);
      const answers = await Promise.all(clients.map((client) => client.createRuns(t.random.shuffle(runs))));
      const created = answers.flat().filter((answer) => answer.status === "created");
      equal(created.length, 20, "each run is created once");
      unique(
        created.map(({ run }) => run.runId),
        "by one of them",
      );
    },
  },
  {
    id: "inbox.two-hundred-writers",
    level: "L3",
    invariants: ["I11", "I18"],
    why: "A popular run gets two hundred signals at once: all of them, numbered without a gap.",
    hint: "The number comes from the row that is locked, not from a count.",
    timeoutMs: 60_000,
    async run(t) {
      const { runId } = await t.create();
      const clients = await t.clients(8);
      const messages = t.make.messages(200, runId);
      const answers = await Promise.all(messages.map((message, index) => clients[index % 8]!.deliver([message])));
      check(
        answers.flat().every((answer) => answer.status === "accepted"),
        "all are accepted",
      );
      const task = await t.worker().take();
      equal(
        task.messages.map(({ no }) => no),
        Array.from({ length: 200 }, (_, index) => index + 1),
        "numbered 1 … 200",
      );
      const sent = messages.map(({ dedupeId }) => dedupeId).toSorted();
      equal(task.messages.map(({ dedupeId }) => dedupeId).toSorted(), sent, "each is there once");
      const times = task.messages.map(({ at }) => at);
      check(
        times.every((at, index) => at >= (times[index - 1] ?? 0)),
        "their times do not go back",
      );
    },
  },
  {
    id: "inbox.senders-keep-their-order",
    level: "L3",
    invariants: ["I18"],
    why: "What one sender sent first, is first, however many others send.",
    async run(t) {
      const { runId } = await t.create();
      const clients = await t.clients(5);
      await Promise.all(
        clients.map(async (client, sender) => {
          for (let index = 0; index < 15; index++) {
            await client.deliver([t.make.message(runId, { data: JSON.stringify([sender, index]) })]);
          }
        }),
      );
      const data = (await t.worker().take()).messages.map((message) => JSON.parse(message.data) as [number, number]);
      for (let sender = 0; sender < 5; sender++) {
        const own = data.filter(([from]) => from === sender).map(([, index]) => index);
        equal(
          own,
          Array.from({ length: 15 }, (_, index) => index),
          "each sender's messages are in order",
        );
      }
    },
  },
  {
    id: "inbox.one-message-fifty-times",
    level: "L3",
    invariants: ["I18"],
    guards: ["concurrent-duplicate-refused"],
    why: "One signal is sent by fifty callers at once.",
    async run(t) {
      const { runId } = await t.create();
      const clients = await t.clients(5);
      const message = t.make.message(runId);
      const calls = Array.from({ length: 50 }, (_, index) => clients[index % 5]!.deliver([message]));
      const statuses = (await Promise.all(calls)).flat().map((answer) => answer.status);
      equal(statuses.filter((one) => one === "accepted").length, 1, "one is accepted");
      equal(statuses.filter((one) => one === "duplicate").length, 49, "the others are duplicates");
      t.guard("concurrent-duplicate-refused");
      equal((await t.worker().take()).messages.length, 1, "the run has it once");
    },
  },
  {
    id: "inbox.crossing-batches",
    level: "L3",
    invariants: ["I3", "I18"],
    why: "Batches of messages to the same runs, in another order, must not wait for each other for ever.",
    async run(t) {
      const runs = t.make.runs(12);
      await t.backend.createRuns(runs);
      const clients = await t.clients(6);
      const answers = await Promise.all(
        clients.map((client) => client.deliver(t.random.shuffle(runs).map(({ runId }) => t.make.message(runId)))),
      );
      check(
        answers.flat().every((answer) => answer.status === "accepted"),
        "all are accepted",
      );
      const { tasks } = await t.worker().claim({ limit: 12 });
      equal(
        tasks.map((task) => task.kind === "workflow" && task.messages.length),
        runs.map(() => 6),
        "each run has six",
      );
    },
  },
  {
    id: "inbox.hundred-outcomes-in-one-batch",
    level: "L3",
    invariants: ["I3", "I12", "I18"],
    why: "A fan-in: a hundred activities of one run end in one group commit.",
    hint: "Any number of activity commits for one run may stand in a batch; they are applied in order.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const count = Math.min(100, t.info.limits.tasksPerCommit, t.info.limits.batch, t.info.limits.claimTasks);
      const schedule = Array.from({ length: count }, (_, index) => t.make.activity(run, index + 2));
      await park(t, worker, task, { events: t.make.events(count), schedule });
      const claimed = await worker.claim({ limit: count });
      const commits = t.random.shuffle(claimed.tasks).map((activity) => {
        check(activity.kind === "activity", "only activities are ready");
        return t.make.outcome(activity);
      });
      const bad = { ...commits[0]!, claim: { ...commits[0]!.claim, epoch: 9 }, commitId: "late" };
      const answers = await worker.backend.commitTasks(
        [...commits.slice(0, 50), ...commits.slice(50), bad].slice(-t.info.limits.batch),
      );
      equal(answers.filter((answer) => answer.status === "ok").length, count, "each is applied");
      const { messages } = await worker.take();
      equal(
        messages.map(({ no }) => no),
        Array.from({ length: count }, (_, index) => index + 1),
        "numbered 1 … n",
      );
      const order = commits.map(({ next }) => (next.do === "complete" ? next.message.dedupeId : ""));
      equal(
        messages.map(({ dedupeId }) => dedupeId),
        order,
        "in the order of the batch",
      );
    },
  },
  {
    id: "inbox.outcome-against-cancel",
    level: "L3",
    invariants: ["I12", "I17"],
    why: "An activity ends while its run cancels it: either the outcome is in the inbox or the task is gone without one.",
    async run(t) {
      for (let round = 0; round < (t.full ? 100 : 10); round++) {
        const { run, worker, task } = await heldRun(t);
        await worker.commit(t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }));
        const other = t.worker(await t.open());
        const activity = await other.takeActivity();
        const cancel = t.make.turn(task, { expectedSeq: 2, cancel: [activity.claim.taskId], next: { do: "hold" } });
        const early = round % 2 === 0 ? other.commit(t.make.outcome(activity)) : undefined;
        const [cancelled, ended] = await Promise.all([
          worker.commit(cancel),
          early ?? other.commit(t.make.outcome(activity)),
        ]);
        status(cancelled, "ok", "the cancel is applied in any case");
        const renewed = status(await worker.renew(task), "held", "the run is held");
        equal(
          renewed.messages.length,
          ended.status === "ok" ? 1 : 0,
          `an outcome that was answered ${ended.status} counts so`,
        );
        check(ended.status === "ok" || ended.status === "lease-lost", "the outcome is accepted or refused");
        equal((await t.worker().claim()).tasks, [], "the task is gone");
        await worker.commit(t.make.final(task, { expectedSeq: 3, ackInbox: renewed.inboxLast }));
      }
    },
  },
  {
    id: "commit.two-turns-under-one-claim",
    level: "L3",
    invariants: ["I1", "I7"],
    guards: ["concurrent-turn-refused"],
    why: "A worker that sends two turns at once, by a bug or a late request, must not get both into the history.",
    async run(t) {
      const client = await t.open();
      for (let round = 0; round < 10; round++) {
        const { run, worker, task } = await heldRun(t);
        const turns = [1, 2].map((count) => t.make.turn(task, { events: t.make.events(count), next: { do: "hold" } }));
        const [a, b] = await Promise.all([worker.commit(turns[0]!), client.commitTasks([turns[1]!])]);
        equal([a.status, b[0]!.status].toSorted(), ["conflict", "ok"], "one is applied, the other refused");
        t.guard("concurrent-turn-refused");
        const events = await history(t.backend, run.runId);
        equal(events.length, a.status === "ok" ? 2 : 3, "only the events of one are there");
        await worker.commit(t.make.final(task, { expectedSeq: events.length }));
      }
    },
  },
  {
    id: "commit.sent-twice-at-once",
    level: "L3",
    invariants: ["I1", "I7"],
    why: "A retry overtakes its original: the two are applied as one.",
    async run(t) {
      const client = await t.open();
      for (const next of [{ do: "hold" }, { do: "park", wakeAt: null }] as const) {
        for (let round = 0; round < 8; round++) {
          const { run, worker, task } = await heldRun(t);
          const commit = t.make.turn(task, { next });
          const [a, b] = await Promise.all([worker.commit(commit), client.commitTasks([commit])]);
          equal([a.status, b[0]!.status].toSorted(), ["duplicate", "ok"], "one is applied, the other recognised");
          equal((await history(t.backend, run.runId)).length, 2, "its event stands once");
          if (next.do === "hold") await worker.commit(t.make.final(task, { expectedSeq: 2 }));
        }
      }
    },
  },
  {
    id: "commit.zombie-against-owner",
    level: "L3",
    invariants: ["I1", "I6"],
    why: "The zombie and the owner write at the same instant: the owner's turn is applied, whoever comes first.",
    async run(t) {
      const client = await t.open();
      for (let round = 0; round < (t.subject.advance === undefined ? 2 : 10); round++) {
        const old = await heldRun(t, {}, t.time.short);
        await t.time.until(old.task.leaseUntil);
        const owner = t.worker(client);
        const task = await owner.take();
        const late = old.worker.commit(t.make.turn(old.task, { events: t.make.events(3), next: { do: "hold" } }));
        const [refused, applied] = await Promise.all([late, owner.commit(t.make.turn(task, { next: { do: "hold" } }))]);
        equal([refused.status, applied.status], ["lease-lost", "ok"], "only the owner writes");
        equal((await history(t.backend, old.run.runId)).length, 2, "and its event is the only one");
        await owner.commit(t.make.final(task, { expectedSeq: 2 }));
      }
    },
  },
  {
    id: "commit.crossing-batches",
    level: "L3",
    invariants: ["I3"],
    why: "Group commits of several workers, with outcomes for each other's runs, must not wait for each other for ever.",
    hint: "Lock rows in one order, by run id; repeat what the database chose as a deadlock's victim.",
    async run(t) {
      const clients = await t.clients(4);
      const runs = t.make.runs(8);
      await t.backend.createRuns(runs);
      const { tasks } = await t.worker().claim({ limit: 8 });
      for (const task of tasks) {
        check(task.kind === "workflow", "workflow tasks only");
        const schedule = [2, 3, 4, 5].map((seq) => t.make.activity(task.run, seq));
        const turn = t.make.turn(task, { events: t.make.events(4), schedule });
        status(await t.worker().commit(turn), "ok", "each run schedules four activities");
      }
      const claims = await Promise.all(
        clients.map((client) => t.worker(client).claim({ kinds: ["activity"], limit: 8 })),
      );
      const answers = await Promise.all(
        claims.map(({ tasks: activities }, index) => {
          const commits = t.random.shuffle(activities).map((activity) => {
            check(activity.kind === "activity", "activities only");
            return t.make.outcome(activity);
          });
          return clients[index]!.commitTasks(commits);
        }),
      );
      equal(answers.flat().filter((answer) => answer.status === "ok").length, 32, "every outcome is applied");
      const woken = await t.worker().claim({ limit: 8 });
      equal(
        woken.tasks.map((task) => task.kind === "workflow" && task.messages.length),
        runs.map(() => 4),
        "each run has its four",
      );
    },
  },
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
  {
    id: "purge.against-create",
    level: "L3",
    invariants: ["I15", "I26"],
    why: "A run is started anew in the moment in which the old one is purged: it is the old one or a whole new one, never half of each.",
    async run(t) {
      const client = await t.open();
      for (let round = 0; round < (t.full ? 100 : 10); round++) {
        const { run, worker, task } = await heldRun(t, { queue: `q${round}` }, 60_000, { queues: [`q${round}`] });
        await worker.commit(t.make.final(task));
        const again = { ...run, incarnation: t.make.run().incarnation };
        const closedBefore = (await t.time.now()) + 1;
        const purge = { closedBefore, minAgeMs: 0, runIds: [run.runId], limit: 1 };
        const [{ purged }, answers] = await Promise.all([client.purgeRuns(purge), t.backend.createRuns([again])]);
        equal(purged, 1, "the old run is purged");
        const created = answers[0]!.status === "created";
        equal(
          (await t.backend.getRun(run.runId))?.incarnation,
          created ? again.incarnation : undefined,
          "what was answered is so",
        );
        equal((await history(t.backend, run.runId)).length, created ? 1 : 0, "with its own history only");
      }
    },
  },
];
