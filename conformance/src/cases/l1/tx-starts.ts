import { contains, equal, only, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { history } from "../../snapshot.ts";

const CALLERS = 4;

export const txStartCases: readonly ConformanceCase[] = [
  {
    id: "tx.start-commits",
    level: "L1",
    requires: "tx-createRuns",
    invariants: ["I3", "I11"],
    why: "A user's row and the run that takes care of it appear together: the run may look for the row as soon as anybody can claim it.",
    hint: "Are all writes of the verb sent through the caller's transaction, those for the task and the queue included?",
    async run(t) {
      const runs = t.make.runs(2, { queue: "new", state: '{"n":1}', attributes: { tenant: "a" } });
      const queues = ["new"];
      await t.transaction(async (tx) => {
        const created = await t.backend.createRuns(runs, { tx });
        equal(
          created.map((answer) => [answer.status, answer.run.runId]),
          runs.map(({ runId }) => ["created", runId]),
          "each run is created",
        );
        for (const { runId } of runs) {
          equal(await t.backend.getRun(runId), undefined, "nobody else sees it before the commit");
        }
        equal((await t.worker().claim({ queues })).tasks, [], "nor is it handed out");
      });
      for (const { runId, incarnation, started } of runs) {
        const run = await t.backend.getRun(runId);
        contains(run, { incarnation, status: "open", lastSeq: 1, state: '{"n":1}' }, "after it, the run is there");
        contains(run?.attributes, { tenant: "a" }, "with its attributes");
        equal(await history(t.backend, runId), [{ seq: 1, ...started }], "its first event");
      }
      const { tasks } = await t.worker().claim({ queues });
      equal(
        tasks.map(({ claim }) => claim.runId).toSorted(),
        runs.map(({ runId }) => runId).toSorted(),
        "and its task, which is handed out",
      );
    },
  },
  {
    id: "tx.start-rolls-back",
    level: "L1",
    requires: "tx-createRuns",
    invariants: ["I3", "I15"],
    why: "An order that was not placed must not be shipped, and placing it again must work.",
    hint: "Does anything that the process remembers of a transaction (numbers of queues, of runs) outlive its roll-back?",
    async run(t) {
      const runs = t.make.runs(2, { queue: "new" });
      await t.rolledBack((tx) => t.backend.createRuns(runs, { tx }));
      for (const { runId } of runs) {
        equal(await t.backend.getRun(runId), undefined, "nothing is left of the run");
        equal(await history(t.backend, runId), [], "nor of its history");
      }
      await t.listed(async () => {
        equal((await t.backend.listRuns({ limit: 10 })).items, [], "no list has it");
        equal((await t.backend.stats()).queues, [], "no queue has a task of it");
      });
      equal((await t.worker().claim({ queues: ["new"] })).tasks, [], "nothing is handed out");
      const again = { ...runs[0]!, incarnation: t.make.commitId(), startHash: "another" };
      status(only(await t.backend.createRuns([again]), "one answer"), "created", "its id is free");
      const task = await t.worker().take({ queues: ["new"] });
      contains(task.claim, { runId: again.runId, incarnation: again.incarnation }, "and the new run is handed out");
    },
  },
  {
    id: "tx.start-answers",
    level: "L1",
    requires: "tx-createRuns",
    invariants: ["I15"],
    why: "An idempotent start inside a transaction is told the same as outside: mine, somebody else's, or new.",
    async run(t) {
      const known = await t.create();
      const fresh = t.make.run();
      const other = { ...known, incarnation: t.make.commitId(), startHash: "another" };
      await t.transaction(async (tx) => {
        const answers = await t.backend.createRuns([known, other, fresh, fresh], { tx });
        equal(
          answers.map((answer) => [answer.status, answer.run.incarnation]),
          [
            ["existing", known.incarnation],
            ["conflict", known.incarnation],
            ["created", fresh.incarnation],
            ["existing", fresh.incarnation],
          ],
          "each is answered with the run that has the id, its neighbours of the batch included",
        );
        const [again] = await t.backend.createRuns([{ ...fresh, startHash: "another" }], { tx });
        status(again, "conflict", "what the transaction has created itself it knows");
      });
      contains(
        await t.backend.getRun(known.runId),
        { incarnation: known.incarnation, lastSeq: 1 },
        "nothing is changed",
      );
      contains(await t.backend.getRun(fresh.runId), { startHash: fresh.startHash }, "the new run is there");
    },
  },
  {
    id: "tx.start-race",
    level: "L1",
    requires: "tx-createRuns",
    invariants: ["I15"],
    why: "One idempotency key is one run, also for callers in transactions of their own, whoever of them commits.",
    hint: "Does the insert wait for the other transaction, and answer `existing` if that has committed?",
    async run(t) {
      const start = t.make.run();
      const calls = Array.from({ length: CALLERS }, (_, index) => {
        const run = { ...start, incarnation: t.make.commitId() };
        if (index === 0) return t.backend.createRuns([run]);
        return t.transaction((tx) => t.backend.createRuns([run], { tx }));
      });
      const outcomes = await Promise.allSettled(calls);
      // A transaction may be rolled back by the store itself: its caller repeats it.
      const answers = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
      const { status: created, run } = only(
        answers.filter((answer) => answer.status === "created"),
        "one of those that were committed has created the run",
      );
      for (const answer of answers) equal(answer.run.incarnation, run.incarnation, `${created}, or told who has`);
      contains(await t.backend.getRun(start.runId), { incarnation: run.incarnation }, "it is the one that is there");
      equal((await t.worker().claim()).tasks.length, 1, "and has one task");
    },
  },
];
