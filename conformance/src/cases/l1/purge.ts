import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park, parkedRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";
import { purgeEnded } from "./purge-ended.ts";

export const purgeCases: readonly ConformanceCase[] = [
  {
    id: "purge.leaves-nothing",
    level: "L1",
    invariants: ["I26"],
    why: "What a purge leaves behind fills the disk, and is personal data that was to be deleted.",
    async run(t) {
      const { run, worker, task } = await heldRun(t, { attributes: { a: 1 }, state: '"s"' });
      const entry = t.make.cacheEntry({ owner: task.claim });
      const message = t.make.message(run.runId);
      await t.backend.writeCache([entry]);
      await t.backend.deliver([message]);
      const schedule = [t.make.activity(run, 2)];
      await worker.commit(t.make.turn(task, { events: t.make.events(5), schedule, next: { do: "hold" } }));
      const close = { status: "completed", discardUnread: true } as const;
      status(await worker.commit(t.make.final(task, { expectedSeq: 6, close })), "ok", "the run ends");
      equal(await purgeEnded(t), 1, "one run is purged");
      equal(await t.backend.getRun(run.runId), undefined, "no run");
      equal(await t.backend.readEvents([{ runId: run.runId, after: 0 }]), [{ events: [], lastSeq: 0 }], "no event");
      equal(await t.backend.readCache([entry.key]), [undefined], "no cache entry of its own");
      equal(await t.backend.deliver([message]), [{ status: "unknown" }], "no inbox");
      equal((await t.worker().claim({ overdue: true })).tasks, [], "no task");
      await t.listed(async () => {
        equal((await t.backend.listRuns({ limit: 10 })).items, [], "no row");
        const { queues, runs } = await t.backend.stats();
        equal({ queues, completed: runs.completed }, { queues: [], completed: 0 }, "no count");
      });
    },
  },
  {
    id: "purge.no-residue",
    level: "L1",
    requires: "residue",
    invariants: ["I26"],
    why: "What the port does not show may still be there: counted underneath the adapter.",
    async run(t) {
      const { run, worker, task } = await heldRun(t, { attributes: { a: 1 } });
      await t.backend.writeCache([t.make.cacheEntry({ owner: task.claim })]);
      await t.backend.deliver(t.make.messages(3, run.runId));
      const schedule = [t.make.activity(run, 2), t.make.activity(run, 3)];
      await worker.commit(t.make.turn(task, { ackInbox: 1, events: t.make.events(5), schedule, next: { do: "hold" } }));
      await worker.commit(t.make.outcome(await worker.takeActivity({ limit: 1 })));
      const close = { status: "completed", discardUnread: true } as const;
      status(await worker.commit(t.make.final(task, { expectedSeq: 6, ackInbox: 1, close })), "ok", "the run ends");
      const residue = async (): Promise<number> => t.subject.residue!(t.namespace(), run.runId);
      check((await residue()) > 0, "the count sees the run before the purge");
      equal(await purgeEnded(t), 1, "one run is purged");
      equal(await residue(), 0, "no raw record of it is left");
    },
  },
  {
    id: "purge.frees-the-id",
    level: "L1",
    invariants: ["I15", "I26"],
    why: "After the purge the same key starts a new run, which knows nothing of the old one.",
    async run(t) {
      const old = await heldRun(t);
      const message = t.make.message(old.run.runId);
      await t.backend.deliver([message]);
      await old.worker.commit(t.make.final(old.task, { events: t.make.events(4), ackInbox: 1 }));
      await purgeEnded(t);
      const run = { ...old.run, incarnation: t.make.run().incarnation };
      status((await t.backend.createRuns([run]))[0], "created", "the id is free");
      equal((await history(t.backend, run.runId)).length, 1, "the new run has its own history");
      status((await t.backend.deliver([message]))[0], "accepted", "its own memory of messages");
      const task = await t.worker().take();
      contains(task, { lastSeq: 1, lastCommitId: null, deliveries: 1, inboxAcked: 0, closed: false }, "its own task");
      equal(
        task.messages.map(({ no }) => no),
        [1],
        "and its own inbox",
      );
    },
  },
  {
    id: "purge.spares-who-has-the-id-now",
    level: "L1",
    invariants: ["I26"],
    guards: ["purge-of-recreated-run-refused"],
    why: "A purge that picks its runs from a list that lags behind, by their ids, takes a new run for the old one.",
    hint: "Look again in the write that deletes: at the incarnation, or at what made the run purgeable.",
    async run(t) {
      const old = [await doneRun(t), await doneRun(t)];
      equal(await purgeEnded(t), 2, "both are purged");
      const again = old.map(({ run }) => ({ ...run, incarnation: t.make.run().incarnation }));
      for (const created of await t.backend.createRuns(again)) status(created, "created", "the id is free");
      const runIds = again.map(({ runId }) => runId);
      await unchanged(t, runIds, "runs that have the ids of purged ones are untouched", async () => {
        equal(await purgeEnded(t), 0, "nothing is purged");
        equal(await purgeEnded(t, { runIds }), 0, "not even by name");
        t.guard("purge-of-recreated-run-refused");
      });
    },
  },
  {
    id: "purge.spares-the-living",
    level: "L1",
    invariants: ["I26"],
    guards: ["purge-of-open-run-refused"],
    why: "A purge must never take a run that is not over, however it waits.",
    async run(t) {
      const q = { queues: ["q"] };
      const held = await heldRun(t, { queue: "q" }, 60_000, q);
      const parked = await parkedRun(t, { queue: "q" }, q);
      const blocked = await heldRun(t, { queue: "q" }, 60_000, q);
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: null } });
      const fresh = await t.create();
      const runIds = [held, parked, blocked].map(({ run }) => run.runId).concat(fresh.runId);
      await unchanged(t, runIds, "open runs are untouched", async () => {
        equal(await purgeEnded(t), 0, "nothing is purged");
        equal(await purgeEnded(t, { runIds }), 0, "not even by name");
        equal(await purgeEnded(t, { closedBefore: 253_402_300_799_999 }), 0, "whatever the time");
        t.guard("purge-of-open-run-refused");
      });
    },
  },
  {
    id: "purge.waits-for-done",
    level: "L1",
    invariants: ["I9", "I26"],
    guards: ["purge-of-closing-run-refused"],
    why: "A child that has ended but not yet told its parent is still owed: without it the parent waits for ever.",
    hint: "Purgeable is: task gone. The status alone is not enough.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.closing(task));
      equal(await purgeEnded(t), 0, "a closed run whose task is there is kept");
      equal(await purgeEnded(t, { runIds: [run.runId] }), 0, "also by name");
      t.guard("purge-of-closing-run-refused");
      status(
        await worker.commit(t.make.turn(task, { expectedSeq: 2, events: [], next: { do: "done" } })),
        "ok",
        "it is done",
      );
      equal(await purgeEnded(t), 1, "then it goes");
    },
  },
];
