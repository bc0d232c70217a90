import { activityTaskId, workflowTaskId } from "@perdure/core/storage";
import { contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park, scheduledActivity } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";

const BLOCK = { do: "block", reason: '"poisoned"', until: null } as const;

export const poisonCases: readonly ConformanceCase[] = [
  {
    id: "claim.deliveries-count-deaths",
    level: "L3",
    invariants: ["I9"],
    why: "A run that kills its worker again and again is known by its hand-outs without a commit.",
    async run(t) {
      const run = await t.create();
      for (let deliveries = 1; deliveries <= 3; deliveries++) {
        const task = await t.worker().take({ leaseMs: t.subject.advance === undefined ? 300 : t.time.short });
        contains(task, { deliveries }, "each hand-out adds one");
        equal((await t.backend.getRun(run.runId))?.task?.deliveries, deliveries, "everybody sees the count");
        await t.time.until(task.leaseUntil);
      }
      const worker = t.worker();
      const task = await worker.take();
      contains(task, { deliveries: 4 }, "the fourth worker knows of three deaths");
      await park(t, worker, task, { next: { do: "park", wakeAt: 0 } });
      contains(await worker.take(), { deliveries: 1 }, "a commit proves that the run is well");
    },
  },
  {
    id: "claim.deliveries-of-activities",
    level: "L3",
    invariants: ["I13", "I16"],
    why: "An activity that kills its worker is known the same way; a retry or a release starts the count anew.",
    async run(t) {
      await scheduledActivity(t);
      const first = await t.worker().takeActivity({ leaseMs: t.subject.advance === undefined ? 300 : t.time.short });
      equal(first.deliveries, 1, "the first hand-out");
      await t.time.until(first.leaseUntil);
      const worker = t.worker();
      const second = await worker.takeActivity();
      equal(second.deliveries, 2, "the second, after a death");
      equal(second.task.attempt, first.task.attempt, "is no other attempt");
      await worker.commit(t.make.outcome(second, { do: "retry", at: 0, attempt: 2 }));
      const third = await worker.takeActivity();
      equal(third.deliveries, 1, "a new attempt counts anew");
      await worker.commit(t.make.outcome(third, { do: "release" }));
      equal((await worker.takeActivity()).deliveries, 1, "a release, too");
    },
  },
  {
    id: "claim.poisoned-with-unread-messages",
    level: "L3",
    invariants: ["I9", "I11"],
    guards: ["poisoned-run-stays"],
    why: "A message that kills its worker lies in the inbox: the block must hold against it, and against each new one.",
    hint: "A block looks neither at the inbox nor at readyAt.",
    async run(t) {
      const { run } = await heldRun(t, {}, t.time.short);
      await t.backend.deliver([t.make.message(run.runId)]);
      await t.time.until((await t.backend.getRun(run.runId))!.task!.leaseUntil!);
      const worker = t.worker();
      const task = await worker.take();
      contains(task, { deliveries: 2 }, "one death is known");
      await park(t, worker, task, { events: [], ackInbox: 0, next: BLOCK });
      for (let index = 0; index < 3; index++) {
        equal((await t.worker().claim()).tasks, [], "nobody is killed by it any more");
        await t.backend.deliver([t.make.message(run.runId)]);
        t.guard("poisoned-run-stays");
      }
      contains(
        (await t.backend.getRun(run.runId))?.task,
        { deliveries: 2, unread: 4, blocked: BLOCK.reason },
        "it is all there",
      );
    },
  },
  {
    id: "claim.blocked-by-id",
    level: "L3",
    invariants: ["I9", "I17"],
    why: "An operator ends a poisoned run without running its code: claims it by id, and closes it.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver(t.make.messages(2, run.runId));
      await park(t, worker, task, { events: [], ackInbox: 0, next: BLOCK });
      const operator = t.worker();
      const claimed = await operator.take({ taskIds: [task.claim.taskId] });
      contains(claimed, { blocked: BLOCK.reason, deliveries: 2, onlyTimeOut: false }, "it comes with the reason");
      equal(claimed.messages.length, 2, "and the messages");
      const close = { status: "cancelled", discardUnread: true } as const;
      const commit = t.make.final(claimed, { ackInbox: 0, close });
      status(await operator.commit(commit), "ok", "it is terminated");
      equal((await t.backend.getRun(run.runId))?.status, "cancelled", "the run is over");
    },
  },
  {
    id: "claim.blocked-by-id-and-mended",
    level: "L3",
    invariants: ["I9"],
    why: "After a fixed deploy, a commit of the run that was blocked lifts the block for good.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await park(t, worker, task, { next: BLOCK });
      const claimed = await worker.take({ taskIds: [task.claim.taskId] });
      const turn = t.make.turn(claimed, { next: { do: "hold" } });
      status(await worker.commit(turn), "ok", "it goes on");
      contains((await t.backend.getRun(run.runId))?.task, { blocked: null, deliveries: 0 }, "the block is lifted");
      await park(t, worker, { ...claimed, lastSeq: 3 }, { next: { do: "park", wakeAt: 0 } });
      contains(await t.worker().take(), { blocked: null, deliveries: 1 }, "and it is an ordinary run");
    },
  },
  {
    id: "claim.unblock",
    level: "L3",
    invariants: ["I9", "I29"],
    why: "Lifting blocks says of each what it found.",
    async run(t) {
      const blocked = await heldRun(t);
      await park(t, blocked.worker, blocked.task, { next: BLOCK });
      const other = await heldRun(t);
      await park(t, other.worker, other.task, { next: { ...BLOCK, until: 253_402_300_799_999 } });
      const open = await t.create({ queue: "other" });
      const taskIds = [
        blocked.task.claim.taskId,
        workflowTaskId(open.runId, open.incarnation),
        workflowTaskId("nobody", open.incarnation),
        other.task.claim.taskId,
        blocked.task.claim.taskId,
        activityTaskId(open.runId, open.incarnation, 2),
      ];
      const statuses = (await t.backend.unblockTasks(taskIds)).map((answer) => answer.status);
      equal(
        statuses,
        ["unblocked", "not-blocked", "unknown", "unblocked", "not-blocked", "unknown"],
        "each has its own answer, in order",
      );
      const { tasks } = await t.worker().claim();
      equal(tasks.length, 2, "both are ready at once");
      for (const task of tasks) contains(task, { deliveries: 1, blocked: null }, "and count anew");
    },
  },
  {
    id: "claim.unblock-of-the-held",
    level: "L3",
    invariants: ["I8"],
    why: "Lifting a block that is not there must not touch a run that somebody holds.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await unchanged(t, [run.runId], "nothing changes", async () => {
        equal(await t.backend.unblockTasks([task.claim.taskId]), [{ status: "not-blocked" }], "it is not blocked");
      });
      status(await worker.renew(task), "held", "its holder still holds it");
    },
  },
  {
    id: "claim.unblock-of-a-held-block",
    level: "L3",
    invariants: ["I8"],
    why: "Somebody repairs a blocked run under a claim of his own, while another lifts the block: it stays with him.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await park(t, worker, task, { next: BLOCK });
      const claimed = await worker.take({ taskIds: [task.claim.taskId] });
      equal(await t.backend.unblockTasks([task.claim.taskId]), [{ status: "unblocked" }], "it was blocked");
      contains((await t.backend.getRun(run.runId))?.task, { blocked: null, deliveries: 0 }, "and is not any more");
      equal((await t.worker().claim()).tasks, [], "nobody else gets it");
      status(await worker.renew(claimed), "held", "its holder still holds it");
      status(await worker.commit(t.make.turn(claimed)), "ok", "and carries it on");
    },
  },
  {
    id: "claim.block-that-ends",
    level: "L3",
    invariants: ["I9", "I10"],
    why: "A run that was blocked until a deploy comes back by itself, with its reason and its count.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const until = (await t.time.now()) + t.time.short;
      await park(t, worker, task, { next: { ...BLOCK, until } });
      await t.backend.deliver([t.make.message(run.runId)]);
      const early = await worker.claim();
      if (early.now < until) equal(early.tasks, [], "a message does not shorten it");
      await t.time.until(until);
      const again = await worker.take();
      contains(again, { blocked: BLOCK.reason, deliveries: 2 }, "the count goes on");
      equal(again.messages.length, 1, "the message waited");
      await park(t, worker, again, { next: { do: "park", wakeAt: 0 } });
      contains(await worker.take(), { blocked: null, deliveries: 1 }, "a commit lifts it");
    },
  },
];
