import { equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";

export const dedupeCases: readonly ConformanceCase[] = [
  {
    id: "inbox.duplicate",
    level: "L1",
    invariants: ["I18"],
    guards: ["duplicate-message-refused"],
    why: "A sender that does not know whether its message arrived repeats it; it must count once.",
    async run(t) {
      const { runId } = await t.create();
      const message = t.make.message(runId);
      status((await t.backend.deliver([message]))[0], "accepted", "the first is accepted");
      await unchanged(t, [runId], "a duplicate changes nothing", async () => {
        const [again] = await t.backend.deliver([{ ...message, data: '"changed"' }]);
        status(again, "duplicate", "the second is a duplicate, whatever it says");
        t.guard("duplicate-message-refused");
      });
      equal(
        (await t.worker().take()).messages.map(({ data }) => data),
        [message.data],
        "the first one stands",
      );
    },
  },
  {
    id: "inbox.duplicate-within-a-batch",
    level: "L1",
    invariants: ["I18"],
    why: "Group commit puts a message and its repetition into one batch.",
    async run(t) {
      const { runId } = await t.create();
      const first = t.make.message(runId);
      const second = t.make.message(runId);
      const answers = await t.backend.deliver([first, second, first, first, second]);
      const statuses = answers.map((answer) => answer.status);
      equal(statuses, ["accepted", "accepted", "duplicate", "duplicate", "duplicate"], "the batch is applied in order");
      const worker = t.worker();
      const task = await worker.take();
      equal(
        task.messages.map(({ dedupeId }) => dedupeId),
        [first.dedupeId, second.dedupeId],
        "each counts once",
      );
      await park(t, worker, task);
      const repeated = (await t.backend.deliver([first, second])).map((answer) => answer.status);
      equal(repeated, ["duplicate", "duplicate"], "also when they were consumed");
      equal((await t.worker().claim()).tasks, [], "and a batch that brings nothing new wakes nobody");
    },
  },
  {
    id: "inbox.internal-duplicate",
    level: "L1",
    invariants: ["I18"],
    why: "An outcome that is sent twice while the first still waits counts once.",
    async run(t) {
      const { runId } = await t.create();
      const message = t.make.message(runId, { external: false });
      const answers = await t.backend.deliver([message, message]);
      equal(
        answers.map((answer) => answer.status),
        ["accepted", "duplicate"],
        "before its ack it is remembered",
      );
      status((await t.backend.deliver([message]))[0], "duplicate", "in a later call, too");
    },
  },
  {
    id: "inbox.dedupe-outlives-the-ack",
    level: "L1",
    invariants: ["I18"],
    guards: ["duplicate-after-ack-refused"],
    why: "A sender repeats its signal minutes later, when the first one has long become an event.",
    hint: "Keep the dedupe id when the message is deleted.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const message = t.make.message(run.runId);
      await t.backend.deliver([message]);
      await park(t, worker, task, { ackInbox: 1 });
      status((await t.backend.deliver([message]))[0], "duplicate", "after its ack it is still remembered");
      t.guard("duplicate-after-ack-refused");
      equal((await worker.claim()).tasks, [], "and does not wake the run again");
    },
  },
  {
    id: "inbox.dedupe-outlives-continue-as-new",
    level: "L1",
    invariants: ["I18"],
    why: "A new generation of the same run is the same run to its senders.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const message = t.make.message(run.runId);
      await t.backend.deliver([message]);
      await park(t, worker, task, { ackInbox: 1, run: { baseSeq: 2 }, next: { do: "park", wakeAt: 0 } });
      const next = await worker.take();
      status((await t.backend.deliver([message]))[0], "duplicate", "while the new generation is held");
      await park(t, worker, next, { run: { baseSeq: 3 } });
      status((await t.backend.deliver([message]))[0], "duplicate", "and two generations later");
    },
  },
  {
    id: "inbox.dedupe-for-a-day",
    level: "L1",
    requires: "advance",
    invariants: ["I18"],
    why: "Runs that go on for ever may forget ids after the declared time, and not before.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const message = t.make.message(run.runId);
      await t.backend.deliver([message]);
      await park(t, worker, task, { ackInbox: 1 });
      for (let index = 0; index < 4; index++) {
        await t.time.pass(Math.floor(t.info.limits.dedupeMs / 4) - 15_000);
        await t.backend.deliver([t.make.message(run.runId)]);
        const woken = await worker.take();
        await park(t, worker, woken);
        status((await t.backend.deliver([message]))[0], "duplicate", "within dedupeMs of its ack it is remembered");
      }
    },
  },
  {
    id: "inbox.forgetting-spares-the-rest",
    level: "L1",
    requires: "advance",
    invariants: ["I11", "I18"],
    why: "Ids that are older than the declared time may be forgotten: not younger ones, no message that waits, nothing of another run.",
    hint: "What is forgotten is of one run, and up to the last one that is old enough.",
    async run(t) {
      const other = await heldRun(t);
      await t.backend.deliver(t.make.messages(3, other.run.runId));
      await park(t, other.worker, other.task, { ackInbox: 3 });
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      await park(t, worker, task, { ackInbox: 1 });
      await t.time.pass(t.info.limits.dedupeMs + 60_000);
      const waiting = t.make.message(other.run.runId);
      const [young, unread] = [t.make.message(run.runId), t.make.message(run.runId)];
      await t.backend.deliver([young, unread]);
      const woken = await worker.take();
      const fresh = t.make.message((await t.create()).runId);
      await t.backend.deliver([waiting, fresh]);
      await park(t, worker, woken, { ackInbox: 2 });
      const repeated = await t.backend.deliver([young, unread, waiting, fresh]);
      equal(
        repeated.map((answer) => answer.status),
        ["duplicate", "duplicate", "duplicate", "duplicate"],
        "young ids are remembered",
      );
      const { tasks } = await worker.claim();
      const messages = tasks.flatMap((one) => (one.kind === "workflow" ? one.messages : []));
      equal(
        messages.map(({ dedupeId }) => dedupeId).toSorted(),
        [unread, waiting, fresh].map(({ dedupeId }) => dedupeId).toSorted(),
        "and what waits goes on waiting",
      );
    },
  },
  {
    id: "inbox.dedupe-outlives-the-end",
    level: "L1",
    invariants: ["I18", "I26"],
    guards: ["duplicate-after-the-end-known"],
    why: "The answer to a message was lost, and the run closed over it before the sender repeats: it must not hear that its message came too late.",
    hint: "Look for the dedupe id before you look whether the run is closed, and keep the ids of external messages until the purge.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const { runId } = run;
      const messages = [0, 1, 2].map(() => t.make.message(runId));
      const [early, last, unread] = messages;
      await t.backend.deliver([early!]);
      await worker.commit(t.make.turn(task, { ackInbox: 1, next: { do: "hold" } }));
      await t.backend.deliver([last!, unread!]);
      const close = { status: "completed", discardUnread: true } as const;
      const end = t.make.closing(task, { expectedSeq: 2, ackInbox: 2, close });
      status(await worker.commit(end), "ok", "the run closes, and drops the last message");
      const repeated = async (when: string): Promise<void> => {
        await unchanged(t, [runId], "a repetition changes nothing", async () => {
          const answers = await t.backend.deliver([...messages, t.make.message(runId)]);
          equal(
            answers.map((answer) => answer.status),
            ["duplicate", "duplicate", "duplicate", "closed"],
            `${when}, what was accepted is a duplicate and what is new is refused`,
          );
        });
      };
      await repeated("before the run is done");
      await worker.commit(t.make.turn(task, { expectedSeq: 3, events: [], ackInbox: 3, next: { do: "done" } }));
      await repeated("when it is done");
      t.guard("duplicate-after-the-end-known");
      await t.backend.purgeRuns({ closedBefore: (await t.time.now()) + 1, minAgeMs: 0, limit: 1 });
      await t.create({ runId });
      status((await t.backend.deliver([early!]))[0], "accepted", "the next run of that id knows nothing of it");
    },
  },
  {
    id: "inbox.dedupe-is-per-run",
    level: "L1",
    invariants: ["I18", "I22"],
    why: "Two runs may get signals with one id.",
    async run(t) {
      const runs = [await t.create(), await t.create()];
      const messages = runs.map(({ runId }) => t.make.message(runId, { dedupeId: "same" }));
      const answers = await t.backend.deliver(messages);
      equal(
        answers.map((answer) => answer.status),
        ["accepted", "accepted"],
        "each run has its own inbox",
      );
      const many = runs.map(({ runId }) => ["a", "b"].map((dedupeId) => t.make.message(runId, { dedupeId })));
      for (const batch of many) {
        const each = (await t.backend.deliver(batch)).map((answer) => answer.status);
        equal(each, ["accepted", "accepted"], "also for several messages at once");
      }
      const { run: done } = await doneRun(t, { queue: "q" }, { queues: ["q"] });
      const [late] = await t.backend.deliver([t.make.message(done.runId, { dedupeId: "same" })]);
      status(late, "closed", "and what has ended knows its own only");
    },
  },
];
