import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park, parkedRun } from "../../scenes.ts";

export const nextStepCases: readonly ConformanceCase[] = [
  {
    id: "commit.hold",
    level: "L1",
    invariants: ["I3", "I11"],
    why: "A holder learns with each answer what time it is, until when it holds, and what has arrived.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver(t.make.messages(2, run.runId));
      const commit = t.make.turn(task, { ackInbox: 1, next: { do: "hold" } });
      const answer = status(await worker.commit(commit), "ok", "the commit is applied");
      contains(answer, { held: true, leaseUntil: task.leaseUntil, inboxLast: 2 }, "the claim is held as before");
      equal(
        answer.messages.map(({ no }) => no),
        [2],
        "the messages after the ack",
      );
      const next = t.make.turn(task, { expectedSeq: 2, ackInbox: 2, next: { do: "hold" } });
      contains(await worker.commit(next), { status: "ok", held: true, messages: [], inboxLast: 2 }, "and goes on");
      contains(
        await t.backend.getRun(run.runId),
        { lastSeq: 3, lastCommitId: next.commitId, status: "open" },
        "the run row follows",
      );
    },
  },
  {
    id: "commit.park",
    level: "L1",
    invariants: ["I3", "I10"],
    why: "A parked run waits for its time, and no worker is busy with it.",
    async run(t) {
      const wakeAt = (await t.time.now()) + 900_000;
      const { run, worker, task } = await heldRun(t);
      const commit = t.make.turn(task, { next: { do: "park", wakeAt } });
      contains(
        await worker.commit(commit),
        { status: "ok", held: false, leaseUntil: null, inboxLast: 0, messages: [] },
        "parking ends the claim",
      );
      contains(
        (await t.backend.getRun(run.runId))?.task,
        { readyAt: wakeAt, leaseUntil: null, workerId: null, epoch: 1, deliveries: 0 },
        "the task waits for its time, and nobody holds it",
      );
      contains(
        await worker.claim(),
        { tasks: [], nextReadyAt: t.time.claimableAt(wakeAt) },
        "it is not claimable before",
      );
    },
  },
  {
    id: "commit.park-for-a-message",
    level: "L1",
    invariants: ["I11"],
    why: "A run that waits for a signal only is ready by nothing else.",
    async run(t) {
      const { run, worker } = await parkedRun(t);
      equal((await t.backend.getRun(run.runId))?.task?.readyAt, null, "it has no time");
      equal((await worker.claim()).tasks, [], "it is not claimable");
      await t.backend.deliver([t.make.message(run.runId)]);
      equal((await worker.take()).messages.length, 1, "a message makes it claimable at once");
    },
  },
  {
    id: "commit.park-with-unread",
    level: "L1",
    invariants: ["I11"],
    guards: ["unread-at-park-seen"],
    why: "A message that arrived during the turn would sleep with the run for ever.",
    hint: "Compare the newest message with the ack in the same write that parks.",
    async run(t) {
      const before = await t.time.now();
      for (const wakeAt of [null, before + 900_000]) {
        const { run, worker, task } = await heldRun(t);
        await t.backend.deliver([t.make.message(run.runId)]);
        await park(t, worker, task, { ackInbox: 0, next: { do: "park", wakeAt } });
        const readyAt = (await t.backend.getRun(run.runId))?.task?.readyAt ?? 0;
        check(before <= readyAt && readyAt <= (await t.time.now()), "it waits in line from now on, not before others");
        const again = await t.worker().take();
        equal(again.claim.runId, run.runId, "a run that is parked with an unread message is ready at once");
        equal(again.messages.length, 1, "and brings it");
        t.guard("unread-at-park-seen");
      }
    },
  },
  {
    id: "commit.park-when-already-due",
    level: "L1",
    invariants: ["I10"],
    why: "A timer that fell due during the turn fires with the next claim.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      await park(t, worker, task, { next: { do: "park", wakeAt: 0 } });
      equal((await worker.take()).claim.epoch, 2, "it is claimable at once");
    },
  },
  {
    id: "commit.block",
    level: "L1",
    invariants: ["I9", "I11"],
    why: "A poisoned run must stop killing workers: no message and no time wakes it, until somebody lifts the block.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      const commit = t.make.turn(task, {
        events: [],
        ackInbox: 0,
        next: { do: "block", reason: '"poisoned"', until: null },
      });
      contains(await worker.commit(commit), { status: "ok", held: false, messages: [] }, "blocking ends the claim");
      contains(
        (await t.backend.getRun(run.runId))?.task,
        { blocked: '"poisoned"', leaseUntil: null, workerId: null, unread: 1, deliveries: 1 },
        "messages stay, and so does the delivery count",
      );
      equal((await worker.claim()).tasks, [], "unread messages do not wake it");
      await t.backend.deliver([t.make.message(run.runId)]);
      equal((await worker.claim()).tasks, [], "nor does a new one");
      equal(await t.backend.unblockTasks([task.claim.taskId]), [{ status: "unblocked" }], "lifting it is an answer");
      const again = await worker.take();
      contains(again, { blocked: null, deliveries: 1 }, "it is ready then, and starts to count anew");
      equal(again.messages.length, 2, "with all of its messages");
    },
  },
  {
    id: "commit.close",
    level: "L1",
    invariants: ["I3", "I5"],
    why: "The terminal event, the status and the outcome are one write: a status that disagrees with history lies to everybody.",
    async run(t) {
      const ends = [
        { status: "completed", output: '"result"' },
        { status: "failed", failure: '"reason"' },
        { status: "cancelled", failure: '"on request"' },
        { status: "completed" },
      ] as const;
      for (const close of ends) {
        const { run, worker, task } = await heldRun(t);
        const before = await t.time.now();
        status(await worker.commit(t.make.final(task, { close })), "ok", "the run is closed");
        const stored = (await t.backend.getRun(run.runId))!;
        const { output = null, failure = null } = close as { output?: string; failure?: string };
        contains(stored, { status: close.status, output, failure, task: null, lastSeq: 2 }, "the run row says how");
        const { closedAt } = stored;
        check(
          closedAt !== null && closedAt >= before && closedAt <= (await t.time.now()),
          "closedAt is the storage's now",
        );
      }
    },
  },
  {
    id: "commit.close-then-done",
    level: "L1",
    invariants: ["I5", "I9"],
    why: "A child first closes, then tells its parent, then is done; in between its claim is as good as ever.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const closing = t.make.closing(task);
      contains(await worker.commit(closing), { status: "ok", held: true }, "the run is closed and held");
      const between = (await t.backend.getRun(run.runId))!;
      equal(between.status, "completed", "its status is set");
      check(between.task !== null, "its task is still there");
      status(await worker.renew(task), "held", "its lease can be renewed");
      const done = t.make.turn(task, { expectedSeq: 2, events: [], next: { do: "done" } });
      contains(await worker.commit(done), { status: "ok", held: false, leaseUntil: null }, "done needs no event");
      contains(
        await t.backend.getRun(run.runId),
        { task: null, lastCommitId: done.commitId, lastSeq: 2 },
        "the task is gone",
      );
    },
  },
  {
    id: "commit.done-removes-activities",
    level: "L1",
    invariants: ["I3", "I13"],
    why: "Activities of a finished run are nobody's work any more.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const schedule = [2, 3, 4].map((seq) => t.make.activity(run, seq));
      await worker.commit(t.make.turn(task, { events: t.make.events(3), schedule, next: { do: "hold" } }));
      const claimed = await t.worker().takeActivity({ limit: 1 });
      await worker.commit(t.make.final(task, { expectedSeq: 4 }));
      equal((await t.worker().claim()).tasks, [], "none of them is handed out");
      status(await worker.renew(claimed), "lost", "and who holds one learns it");
      await t.listed(async () => equal((await t.backend.stats()).queues, [], "no task is left"));
    },
  },
];
