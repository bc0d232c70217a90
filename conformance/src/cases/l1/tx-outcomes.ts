import { contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldActivity, heldRun, scheduledActivity } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";

export const txOutcomeCases: readonly ConformanceCase[] = [
  {
    id: "tx.outcome-commits",
    level: "L1",
    requires: "tx-commitTasks",
    invariants: ["I3", "I11", "I12"],
    why: "A transactional activity's rows, its result and the end of its task are one thing: that is all that users buy it for.",
    async run(t) {
      const held = [await heldActivity(t), await heldActivity(t)];
      const commits = held.map(({ activity }) => t.make.outcome(activity));
      await t.transaction(async (tx) => {
        for (const answer of await t.backend.commitTasks(commits, { tx })) {
          contains(answer, { status: "ok", held: false, leaseUntil: null }, "completing ends the claim");
        }
        for (const { run } of held) {
          contains(
            (await t.backend.getRun(run.runId))?.task,
            { unread: 0, leaseUntil: null },
            "nobody else sees the outcome before the commit",
          );
        }
      });
      const { tasks } = await t.worker().claim();
      equal(
        tasks.map((task) => (task.kind === "workflow" ? task.messages.map(({ data }) => data) : task.kind)),
        [['{"outcome":"charged"}'], ['{"outcome":"charged"}']],
        "the runs are woken by it, with their outcomes, and the activity tasks are gone",
      );
      for (const { worker, activity } of held) status(await worker.renew(activity), "lost", "and so are the claims");
    },
  },
  {
    id: "tx.outcome-rolls-back",
    level: "L1",
    requires: "tx-commitTasks",
    invariants: ["I3", "I6", "I12"],
    why: "When the user's transaction fails, the attempt has failed: its worker still owns the task, and says when it is tried again.",
    async run(t) {
      const { run, worker, activity } = await heldActivity(t);
      const complete = t.make.outcome(activity);
      await unchanged(t, [run.runId], "nothing of it is left", () =>
        t.rolledBack((tx) => t.backend.commitTasks([complete], { tx })),
      );
      await t.rolledBack((tx) => t.backend.commitTasks([t.make.outcome(activity, { do: "release" })], { tx }));
      equal((await t.worker().claim()).tasks, [], "nothing is handed out: the task is held, and the run waits");
      status(await worker.renew(activity), "held", "the claim is still good");
      status(await worker.commit(complete), "ok", "the very same commit is applied outside");
      equal((await t.worker().take()).messages.length, 1, "the run has one outcome");
    },
  },
  {
    id: "tx.outcome-retry",
    level: "L1",
    requires: "tx-commitTasks",
    invariants: ["I3", "I16"],
    why: "Every end of a hand-out can be part of a transaction, not only a completion.",
    async run(t) {
      const { activity } = await heldActivity(t);
      const retry = t.make.outcome(activity, { do: "retry", at: 0, attempt: 2, details: '"why"' });
      await t.transaction(async (tx) => {
        contains(
          (await t.backend.commitTasks([retry], { tx }))[0],
          { status: "ok", held: false },
          "a retry ends the claim",
        );
        equal((await t.worker().claim()).tasks, [], "the task is not handed out before the commit");
      });
      const worker = t.worker();
      const again = await worker.takeActivity();
      contains(again.task, { attempt: 2, details: '"why"' }, "after it, it is the next attempt");
      await t.transaction((tx) => t.backend.commitTasks([t.make.outcome(again, { do: "release" })], { tx }));
      contains((await t.worker().takeActivity()).task, { attempt: 2 }, "a task that is released is handed out again");
    },
  },
  {
    id: "tx.outcome-of-a-stale-claim",
    level: "L1",
    requires: "tx-commitTasks",
    invariants: ["I6", "I12"],
    guards: ["stale-outcome-in-a-transaction-refused"],
    why: "A worker that was paused past its lease must learn inside its transaction that the task is another's, and roll its rows back.",
    hint: "Is the epoch compared in the statement that writes, also in the caller's transaction?",
    async run(t) {
      await scheduledActivity(t);
      const leaseMs = t.time.short;
      const stale = await t.worker().takeActivity({ leaseMs });
      await t.time.until(stale.leaseUntil);
      const owner = t.worker();
      const activity = await owner.takeActivity();
      await t.rolledBack(async (tx) => {
        for (const step of [undefined, { do: "release" }] as const) {
          const [answer] = await t.backend.commitTasks([t.make.outcome(stale, step)], { tx });
          status(answer, "lease-lost", "an end under the old epoch is refused");
          t.guard("stale-outcome-in-a-transaction-refused");
        }
      });
      await t.transaction(async (tx) => {
        const both = [t.make.outcome(stale), t.make.outcome(activity)];
        equal(
          (await t.backend.commitTasks(both, { tx })).map((answer) => answer.status),
          ["lease-lost", "ok"],
          "beside it, the owner's is applied",
        );
      });
      equal((await t.worker().take()).messages.length, 1, "the run has one outcome");
    },
  },
  {
    id: "tx.outcome-again",
    level: "L1",
    requires: "tx-commitTasks",
    invariants: ["I7", "I12"],
    why: "When the answer to a COMMIT is lost nobody knows what became of it: what the worker writes next must find out.",
    hint: "Is the id of the commit remembered by the same transaction?",
    async run(t) {
      const { worker, activity } = await heldActivity(t);
      const complete = t.make.outcome(activity);
      await t.transaction((tx) => t.backend.commitTasks([complete], { tx }));
      status(await worker.commit(complete), "duplicate", "the same commit was applied");
      const retry = t.make.outcome(activity, { do: "retry", at: 0, attempt: 2 });
      status(await worker.commit(retry), "lease-lost", "the end of the failed attempt is refused");
      equal((await t.worker().take()).messages.length, 1, "the run has one outcome");
      equal((await t.worker().claim()).tasks, [], "and the activity is not tried again");
    },
  },
  {
    id: "tx.turns-refused",
    level: "L1",
    requires: "tx-commitTasks",
    invariants: ["I2", "I29"],
    guards: ["turn-in-a-transaction-refused"],
    why: "A history is its holder's alone: one that waits for a user's transaction would hold up everything else of the run.",
    hint: "Begin the verb with checkCommits, and pass it the options.",
    async run(t) {
      const { activity, run } = await heldActivity(t);
      const turn = t.make.turn((await heldRun(t)).task);
      await unchanged(t, [run.runId, turn.claim.runId], "nothing of it is done", () =>
        t.rolledBack(async (tx) => {
          for (const commits of [[turn], [t.make.outcome(activity), turn]]) {
            await throws("invalid-argument", "a turn in a transaction is refused", () =>
              t.backend.commitTasks(commits, { tx }),
            );
            t.guard("turn-in-a-transaction-refused");
          }
        }),
      );
    },
  },
];
