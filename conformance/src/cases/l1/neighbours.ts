import { type ClaimedActivityTask, workflowTaskId } from "@perdure/core/storage";
import { contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

/** Runs number their events, messages and activities alike: what is done to those of one must not happen to others'. */
export const neighbourCases: readonly ConformanceCase[] = [
  {
    id: "commit.spares-other-runs",
    level: "L1",
    invariants: ["I3", "I18", "I22"],
    why: "Every run has a first message and a second event: a turn that takes its own must not take those of all the others.",
    hint: "Every WHERE names the run, also in a small UPDATE or DELETE; so does what is read along with a claim.",
    async run(t) {
      const done = await doneRun(t);
      const other = await busyRun(t);
      const runIds = [done, other].map(({ run }) => run.runId);
      const seen = async (): Promise<unknown> =>
        Promise.all(runIds.map(async (id) => [await t.backend.getRun(id), await history(t.backend, id)]));
      const before = await seen();
      const mine = await heldRun(t, { attributes: { of: "mine" } });
      for await (const what of wholeLife(t, mine)) equal(await seen(), before, `other runs stay as they are ${what}`);

      await t.listed(async () => {
        const { items } = await t.backend.listRuns({ attributes: { of: "other" }, limit: 10 });
        equal(
          items.map(({ runId }) => runId),
          [other.run.runId],
          "they are found by their attributes",
        );
      });

      const claimed = await t.worker().take({ taskIds: [workflowTaskId(other.run.runId, other.run.incarnation)] });
      equal(
        claimed.messages.map(({ no, dedupeId, data }) => ({ no, dedupeId, data })),
        other.messages.map(({ dedupeId, data }, index) => ({ no: index + 1, dedupeId, data })),
        "their messages wait",
      );
      equal(claimed.events, await history(t.backend, other.run.runId), "their own events travel with a claim");
      for (const activity of other.activities) {
        status(await other.worker.renew(activity), "held", "their activities stay with their holders");
        status(await other.worker.commit(t.make.outcome(activity, { do: "release" })), "ok", "who can give them back");
      }
      const { tasks } = await t.worker().claim({ kinds: ["activity"] });
      for (const { task } of other.activities) {
        const again = tasks.find(({ claim }) => claim.taskId === task.taskId);
        contains(again, { task }, "to be handed out as they were");
      }
    },
  },
  {
    id: "commit.spares-own-activities",
    level: "L1",
    invariants: ["I8", "I10", "I13"],
    why: "A run's turns go on while others execute its activities: neither their leases, nor their times, nor the count of their deaths are the run's.",
    hint: "Where activity tasks stand in one table with workflow tasks, every UPDATE of the one names its kind.",
    async run(t) {
      const now = await t.time.now();
      const { run, worker, task } = await heldRun(t, {}, 600_000);
      const { runId } = run;
      const schedule = [t.make.activity(run, 2), t.make.activity(run, 3, { readyAt: now + 500_000 })];
      const hold = { do: "hold" } as const;
      await worker.commit(t.make.turn(task, { events: t.make.events(2), schedule, next: hold }));
      const dead = await t.worker().takeActivity({ leaseMs: t.time.short });
      await t.time.until(dead.leaseUntil);
      const other = t.worker();
      const activity = await other.takeActivity({ leaseMs: t.time.short });
      const isSpared = async (what: string): Promise<void> => {
        const { tasks, nextReadyAt } = await t.worker().claim({ kinds: ["activity"] });
        const waits = { tasks: [], nextReadyAt: t.time.claimableAt(activity.leaseUntil) };
        equal({ tasks, nextReadyAt }, waits, `its activities wait ${what}`);
      };
      await t.backend.deliver([t.make.message(runId)]);
      await isSpared("while a message comes to the holder");
      await worker.renew(task, 900_000);
      await isSpared("while its lease is renewed");
      await worker.commit(t.make.turn(task, { expectedSeq: 3, ackInbox: 1, next: hold }));
      await isSpared("while it goes on");
      await park(t, worker, task, { expectedSeq: 4, ackInbox: 1 });
      await isSpared("while it is parked");
      await t.backend.deliver([t.make.message(runId)]);
      await isSpared("while a message wakes it");
      const woken = await worker.take();
      await park(t, worker, woken, { next: { do: "block", reason: '"why"', until: null } });
      await isSpared("while it is blocked");
      status((await t.backend.unblockTasks([task.claim.taskId]))[0], "unblocked", "the block is lifted");
      await isSpared("while its block is lifted");
      status(await worker.commit(t.make.closing(await worker.take())), "ok", "the run closes, with duties left");
      await isSpared("while it closes");
      await t.time.until(activity.leaseUntil);
      contains(await t.worker().takeActivity(), { deliveries: 3 }, "both deaths are counted");
      status(await other.commit(t.make.outcome(activity)), "lease-lost", "and the claim before is over");
    },
  },
  {
    id: "commit.activity-spares-its-siblings",
    level: "L1",
    invariants: ["I12", "I16", "I22"],
    why: "Activities of one run, and those of the same number in other runs, have attempts, details and ends of their own.",
    hint: "An activity is named by run and seq together, in each statement.",
    async run(t) {
      const other = await busyRun(t);
      const { run, worker, task } = await heldRun(t);
      const schedule = [2, 3].map((seq) => t.make.activity(run, seq, { input: `"of ${seq}"` }));
      await park(t, worker, task, { events: t.make.events(2), schedule });
      const siblings = (await worker.claim({ kinds: ["activity"] })).tasks as readonly ClaimedActivityTask[];
      equal(siblings.length, 2, "both activities of the run are handed out");
      const [one, two] = siblings.toSorted((a, b) => (a.claim.taskId < b.claim.taskId ? -1 : 1)) as [
        ClaimedActivityTask,
        ClaimedActivityTask,
      ];
      await worker.commit(t.make.outcome(one, { do: "retry", at: 0, attempt: 7, details: '"of one"' }));
      const again = await worker.takeActivity();
      contains(again.task, { taskId: one.task.taskId, attempt: 7 }, "one is retried");
      await worker.commit(t.make.outcome(two, { do: "release" }));
      const given = await worker.takeActivity();
      contains(given, { task: two.task }, "the other has not been");
      const first = t.make.outcome(again);
      status(await worker.commit(first), "ok", "one is completed");
      await worker.commit(t.make.outcome(given, { do: "release" }));
      const last = await worker.takeActivity();
      contains(last, { task: two.task }, "the other has not been");
      const second = t.make.outcome(last);
      status(await worker.commit(second), "ok", "now it is");
      for (const commit of [first, second])
        status(await worker.commit(commit), "duplicate", "each end is known when it is repeated");
      for (const activity of other.activities) {
        status(await other.worker.commit(t.make.outcome(activity, { do: "release" })), "ok", "others' are held on");
      }
      const { tasks } = await t.worker().claim({ kinds: ["activity"] });
      for (const { task: own } of other.activities) {
        contains(
          tasks.find(({ claim }) => claim.taskId === own.taskId),
          { task: own },
          "and are as they were",
        );
      }
    },
  },
];

type Busy = Awaited<ReturnType<typeof busyRun>>;

/** A blocked run with unread messages of both kinds, and with three activities that a worker holds. */
async function busyRun(t: CaseContext) {
  const { run, worker, task } = await heldRun(t, { attributes: { of: "other" } });
  const messages = [true, false, true, false].map((external, index) =>
    t.make.message(run.runId, { external, data: `"message ${index} of another"` }),
  );
  await t.backend.deliver(messages);
  const schedule = [2, 3, 4].map((seq) => t.make.activity(run, seq, { input: `"${seq} of another"`, details: '"d"' }));
  const next = { do: "block", reason: '"why"', until: null } as const;
  await park(t, worker, task, { events: t.make.events(3, { data: '"of another"' }), schedule, next });
  const { tasks } = await worker.claim({ kinds: ["activity"] });
  return { run, worker, messages, activities: tasks as readonly ClaimedActivityTask[] };
}

/** Brings a held run through everything that can happen to it, and says after each step when that was. */
async function* wholeLife(
  t: CaseContext,
  { run, worker, task }: Pick<Busy, "run" | "worker"> & { readonly task: Parameters<CaseContext["make"]["turn"]>[0] },
): AsyncGenerator<string> {
  const { runId } = run;
  const hold = { do: "hold" } as const;
  await t.backend.deliver([true, false, true].map((external) => t.make.message(runId, { external })));
  yield "when one gets messages";
  const schedule = [2, 3, 4].map((seq) => t.make.activity(run, seq));
  await worker.commit(t.make.turn(task, { events: t.make.events(3), ackInbox: 2, schedule, next: hold }));
  yield "when one has taken its messages and schedules activities";
  const fields = { state: '"mine"', attributes: { of: "me" }, baseSeq: 2 };
  await worker.commit(
    t.make.turn(task, { expectedSeq: 4, ackInbox: 3, cancel: [schedule[2]!.taskId], run: fields, next: hold }),
  );
  yield "when one cancels an activity and changes its fields";
  const { tasks } = await worker.claim({ kinds: ["activity"] });
  const [first, second] = tasks as [ClaimedActivityTask, ClaimedActivityTask];
  await worker.commit(t.make.outcome(first, { do: "retry", at: 0, attempt: 2, details: '"mine"' }));
  await worker.commit(t.make.outcome(second));
  yield "when one's activities end";
  await worker.renew(task);
  await park(t, worker, task, { expectedSeq: 5, ackInbox: 4, next: { do: "block", reason: '"mine"', until: null } });
  const byId = await worker.take({ taskIds: [task.claim.taskId] });
  await worker.commit(t.make.turn(byId, { next: hold }));
  yield "when one goes on after a block";
  await park(t, worker, byId, { expectedSeq: byId.lastSeq + 1, next: { do: "block", reason: '"mine"', until: null } });
  await t.backend.unblockTasks([task.claim.taskId]);
  yield "when one's block is lifted";
  const last = await worker.take();
  await t.backend.deliver(t.make.messages(2, runId));
  const close = { status: "failed", failure: '"mine"', discardUnread: true } as const;
  await worker.commit(t.make.closing(last, { close }));
  yield "when one closes";
  const end = t.make.turn(last, { expectedSeq: last.lastSeq + 1, events: [], next: { do: "done" } });
  const final = { ...end, ackInbox: last.inboxAcked + 2 };
  status(await worker.commit(final), "ok", "its duties are done");
  status(await worker.commit(final), "duplicate", "which is known when it is said again");
  yield "when one is done";
  await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 10, runIds: [runId] });
  yield "when one is purged";
}
