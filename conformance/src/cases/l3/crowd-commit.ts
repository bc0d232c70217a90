import { check, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const crowdCommitCases: readonly ConformanceCase[] = [
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
];
