import type { ClaimedWorkflowTask, PurgeRequest } from "@perdure/core/storage";
import { check, contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { doneRun, heldRun, park, parkedRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

/** Purges everything that has ended, whatever its age. */
async function purge(t: CaseContext, overrides?: Partial<PurgeRequest>): Promise<number> {
  const request = { closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 100, ...overrides };
  return (await t.backend.purgeRuns(request)).purged;
}

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
      equal(await purge(t), 1, "one run is purged");
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
      equal(await purge(t), 1, "one run is purged");
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
      await purge(t);
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
      equal(await purge(t), 2, "both are purged");
      const again = old.map(({ run }) => ({ ...run, incarnation: t.make.run().incarnation }));
      for (const created of await t.backend.createRuns(again)) status(created, "created", "the id is free");
      const runIds = again.map(({ runId }) => runId);
      await unchanged(t, runIds, "runs that have the ids of purged ones are untouched", async () => {
        equal(await purge(t), 0, "nothing is purged");
        equal(await purge(t, { runIds }), 0, "not even by name");
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
        equal(await purge(t), 0, "nothing is purged");
        equal(await purge(t, { runIds }), 0, "not even by name");
        equal(await purge(t, { closedBefore: 253_402_300_799_999 }), 0, "whatever the time");
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
      equal(await purge(t), 0, "a closed run whose task is there is kept");
      equal(await purge(t, { runIds: [run.runId] }), 0, "also by name");
      t.guard("purge-of-closing-run-refused");
      status(
        await worker.commit(t.make.turn(task, { expectedSeq: 2, events: [], next: { do: "done" } })),
        "ok",
        "it is done",
      );
      equal(await purge(t), 1, "then it goes");
    },
  },
  {
    id: "purge.by-age",
    level: "L1",
    invariants: ["I24", "I26"],
    guards: ["purge-of-young-run-refused"],
    why: "Retention is by age; and whoever still writes late must find what it belongs to.",
    async run(t) {
      const { run } = await doneRun(t);
      const closedAt = (await t.backend.getRun(run.runId))!.closedAt!;
      equal(await purge(t, { closedBefore: closedAt }), 0, "closedBefore is exclusive");
      equal(await purge(t, { minAgeMs: 600_000 }), 0, "a run that closed a moment ago is too young");
      const far = { closedBefore: closedAt + 10_000, limit: 10 };
      equal((await t.backend.purgeRuns(far)).purged, 0, "without minAgeMs the age is an hour");
      t.guard("purge-of-young-run-refused");
      await t.time.until(closedAt + 50);
      equal(await purge(t, { closedBefore: closedAt + 1, minAgeMs: 50 }), 1, "at its age it goes");
    },
  },
  {
    id: "purge.default-age-is-an-hour",
    level: "L1",
    requires: "advance",
    invariants: ["I24", "I26"],
    why: "The default must be short enough to be useful.",
    async run(t) {
      const { run } = await doneRun(t);
      const closedAt = (await t.backend.getRun(run.runId))!.closedAt!;
      const request = { closedBefore: closedAt + 1, limit: 10 };
      await t.time.until(closedAt + 3_590_000);
      equal((await t.backend.purgeRuns(request)).purged, 0, "before the hour is over it is kept");
      await t.time.until(closedAt + 3_600_000);
      equal((await t.backend.purgeRuns(request)).purged, 1, "after an hour it goes");
    },
  },
  {
    id: "purge.filters",
    level: "L1",
    invariants: ["I26"],
    why: "Keeping failures longer than successes is the usual policy.",
    async run(t) {
      const ids: string[] = [];
      for (const end of ["completed", "failed", "cancelled", "completed", "failed"] as const) {
        const { run, worker, task } = await heldRun(t);
        await worker.commit(t.make.final(task, { close: { status: end } }));
        ids.push(run.runId);
      }
      const left = async (): Promise<readonly boolean[]> =>
        Promise.all(ids.map(async (id) => (await t.backend.getRun(id)) !== undefined));
      equal(await purge(t, { status: [] }), 0, "no status, no run");
      equal(await purge(t, { status: ["cancelled"] }), 1, "by status");
      equal(await left(), [true, true, false, true, true], "only that one");
      equal(await purge(t, { runIds: [ids[0]!, ids[1]!, "nobody"], status: ["failed"] }), 1, "by id and status");
      equal(await left(), [true, false, false, true, true], "only that one");
      equal(await purge(t, { runIds: [] }), 0, "no id, no run");
      equal(await purge(t, { status: ["completed", "failed"] }), 3, "the rest");
    },
  },
  {
    id: "purge.in-steps",
    level: "L1",
    invariants: ["I26"],
    why: "A million runs are purged in small steps, each of which says whether another one is worth it.",
    async run(t) {
      for (let index = 0; index < 7; index++) await doneRun(t);
      const closedBefore = (await t.time.now()) + 1;
      const steps = [];
      for (let more = true; more;) {
        const result = await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, limit: 3 });
        check(result.purged <= 3, "at most limit runs in one call");
        steps.push(result.purged);
        ({ more } = result);
        check(steps.length < 10, "the steps come to an end");
      }
      equal(
        steps.reduce((sum, purged) => sum + purged, 0),
        7,
        "together they take everything",
      );
      equal(steps[0], 3, "and each takes what it may");
      await throws("invalid-argument", "a limit of zero is refused", () =>
        t.backend.purgeRuns({ closedBefore, limit: 0 }),
      );
    },
  },
  {
    id: "purge.limit-is-capped",
    level: "L1",
    invariants: ["I26"],
    timeoutMs: 120_000,
    why: "One call must not hold locks for as long as a million runs take, whatever it is asked for: `info.limits.purgeRuns` is the most.",
    hint: "The smaller one of `limit` and `info.limits.purgeRuns` counts; `more` says that runs were left.",
    async run(t) {
      const { purgeRuns: most, batch, claimTasks } = t.info.limits;
      const worker = t.worker();
      for (let left = most + 2; left > 0;) {
        const count = Math.min(left, batch, claimTasks);
        await t.backend.createRuns(t.make.runs(count));
        const { tasks } = await worker.claim({ limit: count, leaseMs: 60_000 });
        await t.backend.commitTasks(tasks.map((task) => t.make.final(task as ClaimedWorkflowTask)));
        left -= count;
      }
      const request = { closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: most + 10 };
      equal(await t.backend.purgeRuns(request), { purged: most, more: true }, "the declared limit caps the call");
      equal(await purge(t, { limit: most + 10 }), 2, "the rest follows");
    },
  },
  {
    id: "purge.kept-runs-do-not-block-the-step",
    level: "L1",
    invariants: ["I26"],
    why: "If a step looks only at the oldest runs and those must stay, nothing behind them is ever purged.",
    hint: "The limit counts purged runs, not runs that were looked at.",
    async run(t) {
      const parent = await t.create({ queue: "p" });
      const link = { runId: parent.runId, incarnation: parent.incarnation, seq: 2 };
      for (let index = 0; index < 5; index++) await doneRun(t, { parent: link });
      await t.time.pass(2);
      for (let index = 0; index < 3; index++) await doneRun(t);
      const closedBefore = (await t.time.now()) + 1;
      let purged = 0;
      for (let more = true, step = 0; more && step < 20; step++) {
        const result = await t.backend.purgeRuns({ closedBefore, minAgeMs: 0, limit: 2 });
        purged += result.purged;
        ({ more } = result);
      }
      equal(purged, 3, "what may go goes, whatever stands before it");
    },
  },
  {
    id: "purge.children-of-open-parents-stay",
    level: "L1",
    invariants: ["I9", "I26"],
    guards: ["purge-of-owed-child-refused"],
    why: "A parent that repeats its start of a child must find the finished one, not start it again.",
    async run(t) {
      const q = { queues: ["p"] };
      const parent = await heldRun(t, { queue: "p" }, 60_000, q);
      const { runId, incarnation } = parent.run;
      const child = await doneRun(t, { parent: { runId, incarnation, seq: 2 } });
      equal(await purge(t), 0, "while its parent is open the child stays");
      equal(await purge(t, { runIds: [child.run.runId] }), 0, "also by name");
      t.guard("purge-of-owed-child-refused");
      await parent.worker.commit(t.make.closing(parent.task));
      equal(await purge(t), 1, "when the parent has closed, it goes");
    },
  },
  {
    id: "purge.orphans-go",
    level: "L1",
    invariants: ["I26"],
    why: "A child whose parent is gone, or whose parent's name has been taken by another run, is owed to nobody.",
    async run(t) {
      await doneRun(t, { parent: { runId: "gone", incarnation: "gone-incarnation-1", seq: 2 } });
      const taken = await t.create({ queue: "p" });
      await doneRun(t, { parent: { runId: taken.runId, incarnation: "earlier-incarnation", seq: 2 } });
      equal(await purge(t), 2, "both are purged");
      check(await t.backend.getRun(taken.runId), "the run that has the name now stays");
    },
  },
  {
    id: "purge.parent-and-child-together",
    level: "L1",
    invariants: ["I26"],
    why: "A finished family goes in one purge, or in a few.",
    async run(t) {
      const parent = await doneRun(t);
      const { runId, incarnation } = parent.run;
      await doneRun(t, { parent: { runId, incarnation, seq: 2 } });
      const grown = await doneRun(t, { parent: { runId, incarnation, seq: 3 } });
      const { runId: id, incarnation: own } = grown.run;
      await doneRun(t, { parent: { runId: id, incarnation: own, seq: 2 } });
      let purged = 0;
      for (let step = 0; step < 4; step++) purged += await purge(t);
      equal(purged, 4, "nobody of it is left");
    },
  },
  {
    id: "purge.neighbours-stay",
    level: "L1",
    invariants: ["I22", "I26"],
    why: "Deleting by prefix or pattern takes runs with similar ids along.",
    async run(t) {
      const ids = ["order", "order-1", "order:1", "order/1", "Order", "order ", "orde", "o%", "o_der", "order*"];
      for (const runId of ids) {
        const { task } = await heldRun(t, { runId });
        const entry = t.make.cacheEntry({ key: `of ${runId}`, owner: task.claim });
        await t.backend.writeCache([entry]);
        await t.worker().commit(t.make.final(task));
      }
      for (const gone of ["order", "o%", "o_der", "order*"])
        equal(await purge(t, { runIds: [gone] }), 1, `${gone} goes`);
      for (const runId of ["order-1", "order:1", "order/1", "Order", "order ", "orde"]) {
        equal((await history(t.backend, runId)).length, 2, `${runId} stays, with its history`);
        check((await t.backend.readCache([`of ${runId}`]))[0], "and its cache entry");
      }
    },
  },
];
