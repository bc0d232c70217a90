import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldActivity, heldRun, park } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";

export const leaseCases: readonly ConformanceCase[] = [
  {
    id: "lease.renewal-sets-the-end",
    level: "L1",
    invariants: ["I8"],
    why: "A renewal gives the holder leaseMs from now on, whatever was left.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      for (const leaseMs of [90_000, 20_000, 60_000]) {
        await t.time.pass(2);
        const renewed = status(await worker.renew(task, leaseMs), "held", "its holder renews it");
        equal(renewed.leaseUntil, renewed.now + leaseMs, "the lease ends at now + leaseMs");
        contains(
          (await t.backend.getRun(run.runId))?.task,
          { leaseUntil: renewed.leaseUntil, epoch: 1, deliveries: 1, workerId: worker.id },
          "the task has the new end, and nothing else has changed",
        );
      }
    },
  },
  {
    id: "lease.renewal-brings-messages",
    level: "L1",
    invariants: ["I11", "I18"],
    why: "A holder that waits for its own activity must not be blind to a signal or a cancel.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      contains(await worker.renew(task), { messages: [], inboxLast: 0 }, "an empty inbox is empty");
      const messages = t.make.messages(3, run.runId);
      await t.backend.deliver(messages);
      const renewed = status(await worker.renew(task), "held", "the lease is renewed");
      equal(
        renewed.messages.map(({ data }) => data),
        messages.map(({ data }) => data),
        "all unread messages, in order",
      );
      equal(
        renewed.messages.map(({ no }) => no),
        [1, 2, 3],
        "numbered",
      );
      equal(renewed.inboxLast, 3, "the newest number is there");
      await worker.commit(t.make.turn(task, { ackInbox: 2, next: { do: "hold" } }));
      const later = status(await worker.renew(task), "held", "the lease is renewed");
      equal(
        later.messages.map(({ no }) => no),
        [3],
        "only messages after the ack",
      );
    },
  },
  {
    id: "lease.renewal-of-activities",
    level: "L1",
    invariants: ["I8", "I13"],
    why: "A long activity keeps its task by renewals, as a run does.",
    async run(t) {
      const { run, worker, activity } = await heldActivity(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      await t.time.pass(2);
      const renewed = status(await worker.renew(activity, 120_000), "held", "its holder renews it");
      equal(renewed.leaseUntil, renewed.now + 120_000, "the lease ends at now + leaseMs");
      equal(renewed.messages, [], "the run's messages are not the activity's business");
    },
  },
  {
    id: "lease.renewal-of-strangers",
    level: "L1",
    invariants: ["I6"],
    guards: ["bad-claim-renewal-refused"],
    why: "A claim that was never good renews nothing.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const { claim } = task;
      const { claim: gone } = (await doneRun(t)).task;
      const bad = [
        { ...claim, epoch: claim.epoch + 1 },
        { ...claim, incarnation: "another-incarnation-1" },
        { ...claim, runId: "another" },
        { ...claim, taskId: gone.taskId },
        gone,
      ];
      await unchanged(t, [run.runId], "a refused renewal changes nothing", async () => {
        for (const stranger of bad) {
          status(await worker.renew({ claim: stranger }, 600_000), "lost", "a claim that is not the task's is lost");
          t.guard("bad-claim-renewal-refused");
        }
      });
    },
  },
  {
    id: "lease.renewal-batch",
    level: "L1",
    invariants: ["I3", "I8"],
    why: "A worker renews everything in one call: one lost claim must not cost the others.",
    async run(t) {
      const [a, b, c, d] = [await heldRun(t), await heldRun(t), await heldRun(t), await heldRun(t)];
      await park(t, b.worker, b.task);
      const stranger = { ...d.task.claim, epoch: 9 };
      const claims = [a.task.claim, b.task.claim, c.task.claim, stranger, a.task.claim];
      const answers = await t.backend.renewLeases(claims, 120_000);
      equal(
        answers.map((answer) => answer.status),
        ["held", "lost", "held", "lost", "held"],
        "each has its own answer",
      );
      equal(answers[4], answers[0], "the same claim twice is renewed once and answered twice");
      equal(
        new Set(answers.map((answer) => answer.status === "held" && answer.now)).size,
        2,
        "one verb reads the clock once",
      );
    },
  },
  {
    id: "lease.holding-does-not-extend",
    level: "L1",
    invariants: ["I8"],
    why: "A worker's renewals are the proof that it lives; commits in between leave the lease as it is.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      await t.time.pass(20);
      const commit = t.make.turn(task, { next: { do: "hold" } });
      const answer = status(await worker.commit(commit), "ok", "the commit is applied");
      equal(answer.leaseUntil, task.leaseUntil, "the lease ends when it did");
      check(answer.now < task.leaseUntil, "the answer has the storage's now");
    },
  },
  {
    id: "lease.ends-at-its-end",
    level: "L1",
    invariants: ["I8", "I24"],
    why: "A lease is live while now < leaseUntil, by the storage's clock: not a millisecond more, not one less.",
    async run(t) {
      const { task } = await heldRun(t, {}, t.time.short);
      const other = t.worker();
      await t.time.pass(Math.max(0, task.leaseUntil - (await t.time.now()) - 1));
      const early = await other.claim();
      if (early.now < task.leaseUntil) equal(early.tasks, [], "just before its end the lease is live");
      await t.time.until(task.leaseUntil);
      if (early.tasks.length === 0) equal((await other.take()).claim.epoch, 2, "at its end the task is claimable");
    },
  },
  {
    id: "lease.expired-and-unclaimed-is-good",
    level: "L1",
    invariants: ["I6", "I8"],
    why: "A worker that was late, but whose task nobody took, loses nothing: a long pause with one worker must not undo work.",
    hint: "Ownership is the epoch; the lease only says when others may claim.",
    async run(t) {
      const { worker, task } = await heldRun(t, {}, t.time.short);
      await t.time.until(task.leaseUntil);
      const commit = t.make.turn(task, { next: { do: "hold" } });
      contains(await worker.commit(commit), { status: "ok", held: true }, "its holder still commits");
      const renewed = status(await worker.renew(task), "held", "and renews");
      equal((await t.worker().claim()).tasks, [], "from then on it is leased again");
      equal(renewed.leaseUntil, renewed.now + 60_000, "with a whole lease");
    },
  },
  {
    id: "lease.of-one-task-only",
    level: "L1",
    invariants: ["I8"],
    why: "Renewing or losing one task says nothing about another.",
    async run(t) {
      const first = await heldRun(t, {}, t.time.short);
      const second = await heldRun(t, {}, t.time.short);
      await first.worker.renew(first.task);
      await t.time.until(second.task.leaseUntil);
      equal((await t.worker().take()).claim.runId, second.run.runId, "only the task that was not renewed is claimable");
    },
  },
];
