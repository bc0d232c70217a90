import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldActivity, heldRun, park } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

// A message can come at any moment of a run's life. It is never lost, never doubled, and keeps its place.

export const momentCases: readonly ConformanceCase[] = [
  {
    id: "inbox.moment-before-the-claim",
    level: "L3",
    invariants: ["I11", "I18"],
    why: "Signals may come before the first worker does.",
    async run(t) {
      const { runId } = await t.create();
      await t.backend.deliver(t.make.messages(2, runId));
      const task = await t.worker().take();
      equal(
        task.messages.map(({ no }) => no),
        [1, 2],
        "the claim brings them",
      );
    },
  },
  {
    id: "inbox.moment-during-the-turn",
    level: "L3",
    invariants: ["I11", "I18"],
    why: "A message that comes during the turn is seen by its commit.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await (await t.open()).deliver([t.make.message(run.runId)]);
      const answer = status(
        await worker.commit(t.make.turn(task, { next: { do: "hold" } })),
        "ok",
        "the turn is applied",
      );
      equal(answer.messages.length, 1, "a holding commit brings it");
      equal(answer.inboxLast, 1, "and its number");
    },
  },
  {
    id: "inbox.moment-between-decision-and-park",
    level: "L3",
    invariants: ["I11", "I18"],
    guards: ["late-message-wakes"],
    why: "The turn has decided to sleep; the message that came meanwhile must wake it.",
    hint: "Parking compares the newest message with the ack in the same write (or under the same lock).",
    async run(t) {
      for (const wakeAt of [null, 253_402_300_799_999]) {
        const { run, worker, task } = await heldRun(t);
        const commit = t.make.turn(task, { next: { do: "park", wakeAt } });
        await (await t.open()).deliver([t.make.message(run.runId)]);
        contains(
          await worker.commit(commit),
          { status: "ok", held: false, inboxLast: 1 },
          "it parks, and says what is there",
        );
        const again = await t.worker().take();
        equal(again.messages.length, 1, "the run is ready at once");
        t.guard("late-message-wakes");
      }
    },
  },
  {
    id: "inbox.moment-of-the-park",
    level: "L3",
    invariants: ["I11", "I18"],
    why: "The message and the park are written in the same instant, by two connections.",
    hint: "Read committed is not enough if the park reads the counters before it locks the row.",
    async run(t) {
      const sender = await t.open();
      for (let round = 0; round < (t.full ? 300 : 25); round++) {
        const { run, worker, task } = await heldRun(t);
        const message = t.make.message(run.runId);
        const early = round % 2 === 0 ? sender.deliver([message]) : undefined;
        const [parked, [sent]] = await Promise.all([
          worker.commit(t.make.turn(task)),
          early ?? sender.deliver([message]),
        ]);
        status(parked, "ok", "the run is parked");
        status(sent, "accepted", "the message is accepted");
        const again = await t.worker().take();
        equal(
          [again.claim.runId, again.messages.length],
          [run.runId, 1],
          "whichever was first, the run is ready, with it",
        );
        await park(t, worker, again);
      }
    },
  },
  {
    id: "inbox.moment-of-continuing-as-new",
    level: "L3",
    invariants: ["I11", "I18"],
    why: "A run that begins a new generation takes its unread messages along.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const sent = t.make.messages(3, run.runId);
      await t.backend.deliver(sent.slice(0, 2));
      await park(t, worker, task, { ackInbox: 1, run: { baseSeq: 2 }, next: { do: "park", wakeAt: 0 } });
      await t.backend.deliver(sent.slice(2));
      const next = await worker.take();
      equal(
        next.messages.map(({ data }) => data),
        sent.slice(1).map(({ data }) => data),
        "what was not acknowledged is there",
      );
      contains(next, { inboxAcked: 1 }, "numbers go on");
      equal(next.run.baseSeq, 2, "in the new generation");
    },
  },
  {
    id: "inbox.moment-between-claim-and-end",
    level: "L3",
    invariants: ["I5", "I11", "I18"],
    guards: ["unread-close-refused"],
    why: "A signal was accepted while the last turn was computed: it becomes an event before the end, or the end is refused.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      const refused = status(await worker.commit(t.make.final(task)), "unread", "the end is refused");
      t.guard("unread-close-refused");
      equal(refused.messages.length, 1, "with the message");
      status(await worker.renew(task), "held", "the claim is still good");
      await worker.commit(t.make.turn(task, { ackInbox: 1, next: { do: "hold" } }));
      status(await worker.commit(t.make.final(task, { expectedSeq: 2, ackInbox: 1 })), "ok", "then it is the end");
      equal((await history(t.backend, run.runId)).length, 3, "with the message's event before it");
    },
  },
  {
    id: "inbox.moment-of-the-end",
    level: "L3",
    invariants: ["I5", "I11", "I18"],
    why: "The message and the end are written in the same instant: either the end sees it, or the sender hears `closed`.",
    async run(t) {
      const sender = await t.open();
      for (let round = 0; round < (t.full ? 300 : 25); round++) {
        const { run, worker, task } = await heldRun(t);
        const send = round % 2 === 0 ? sender.deliver([t.make.message(run.runId)]) : undefined;
        const end = worker.commit(t.make.final(task));
        const [ended, [sent]] = await Promise.all([end, send ?? sender.deliver([t.make.message(run.runId)])]);
        const outcome = `${sent!.status}, ${ended.status}`;
        check(["accepted, unread", "closed, ok"].includes(outcome), `no message is accepted and lost (${outcome})`);
        if (ended.status === "unread") await worker.commit(t.make.final(task, { ackInbox: 1 }));
      }
    },
  },
  {
    id: "inbox.moment-between-end-and-done",
    level: "L3",
    invariants: ["I5", "I18"],
    guards: ["message-to-closing-run-refused"],
    why: "The terminal event is written, the parent not yet told: nothing more can become an event, so nothing is accepted.",
    hint: "`closed` is set in the same write as the terminal event, not when the task goes.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.closing(task));
      await unchanged(t, [run.runId], "nothing is written", async () => {
        status((await t.backend.deliver([t.make.message(run.runId)]))[0], "closed", "the sender hears that it is over");
        t.guard("message-to-closing-run-refused");
      });
      contains(await worker.renew(task), { status: "held", messages: [] }, "and the holder is not disturbed");
    },
  },
  {
    id: "inbox.moment-after-done",
    level: "L3",
    invariants: ["I5", "I18"],
    guards: ["message-after-done-refused"],
    why: "A finished run answers `closed` until it is purged, and `unknown` then.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await worker.commit(t.make.final(task));
      status((await t.backend.deliver([t.make.message(run.runId)]))[0], "closed", "it is over");
      t.guard("message-after-done-refused");
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 1 });
      status((await t.backend.deliver([t.make.message(run.runId)]))[0], "unknown", "it is gone");
    },
  },
  {
    id: "inbox.moment-while-the-holder-is-dead",
    level: "L3",
    invariants: ["I8", "I11"],
    why: "The holder of a run died; a message to it must not wait longer than the lease.",
    async run(t) {
      const wakeAt = 253_402_300_799_999;
      const first = await heldRun(t);
      await park(t, first.worker, first.task, { next: { do: "park", wakeAt } });
      const taskIds = [first.task.claim.taskId];
      const dead = await t.worker().take({ taskIds, leaseMs: t.time.short });
      await t.backend.deliver([t.make.message(first.run.runId)]);
      const early = await t.worker().claim();
      if (early.now < dead.leaseUntil) equal(early.tasks, [], "while the lease lives the run is its holder's");
      await t.time.until(dead.leaseUntil);
      equal((await t.worker().take()).messages.length, 1, "at the lease's end the run is claimable, with the message");
    },
  },
  {
    id: "inbox.moment-before-a-renewal",
    level: "L3",
    invariants: ["I8", "I11"],
    why: "A renewal after the message must not put the run to sleep again.",
    async run(t) {
      const { run, worker, task } = await heldRun(t, {}, t.time.short);
      await t.backend.deliver([t.make.message(run.runId)]);
      const renewed = status(await worker.renew(task, t.time.short), "held", "the lease is renewed");
      equal(renewed.messages.length, 1, "and the message is shown");
      await t.time.until(renewed.leaseUntil);
      equal((await t.worker().take()).messages.length, 1, "the next one gets the run, with it");
    },
  },
  {
    id: "inbox.moment-of-signal-and-cancel",
    level: "L3",
    invariants: ["I11", "I17", "I18"],
    why: "A held run gets a signal and a cancel while its activity runs: the holder sees both with its next renewal, in order.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId, { data: '"signal"' })]);
      await (await t.open()).deliver([t.make.message(run.runId, { data: '"cancel"', external: false })]);
      const renewed = status(await worker.renew(task), "held", "the lease is renewed");
      equal(
        renewed.messages.map(({ data }) => data),
        ['"signal"', '"cancel"'],
        "both are there, in order",
      );
    },
  },
  {
    id: "inbox.moment-of-an-activity's-end",
    level: "L3",
    invariants: ["I11", "I12"],
    why: "An activity ends while its run is held, parked or blocked: its outcome is there when the run moves on.",
    async run(t) {
      const { run, worker, activity } = await heldActivity(t);
      const taskIds = [`${run.incarnation}:${run.runId}` as typeof activity.claim.taskId];
      const holder = t.worker();
      const task = await holder.take({ taskIds });
      status(await worker.commit(t.make.outcome(activity)), "ok", "the activity ends while its run is held");
      const renewed = status(await holder.renew(task), "held", "the run is held");
      equal(renewed.messages.length, 1, "the holder sees the outcome");
      await park(t, holder, task, { ackInbox: 0 });
      equal((await t.worker().take()).messages.length, 1, "a park does not lose it");
    },
  },
];
