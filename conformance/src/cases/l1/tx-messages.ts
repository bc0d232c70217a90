import { contains, equal, only, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, parkedRun } from "../../scenes.ts";

export const txMessageCases: readonly ConformanceCase[] = [
  {
    id: "tx.message-commits",
    level: "L1",
    requires: "tx-deliver",
    invariants: ["I3", "I11", "I18"],
    why: "A user's row and the signal that tells a run of it arrive together: the run wakes up when it can see the row.",
    hint: "Is the task woken by the same transaction that stores the message?",
    async run(t) {
      const parked = await parkedRun(t);
      const held = await heldRun(t);
      const sent = t.make.messages(2, parked.run.runId);
      await t.transaction(async (tx) => {
        const messages = [...sent, t.make.message(held.run.runId)];
        const statuses = (await t.backend.deliver(messages, { tx })).map((answer) => answer.status);
        equal(statuses, ["accepted", "accepted", "accepted"], "each message is accepted");
        for (const { run } of [parked, held]) {
          equal((await t.backend.getRun(run.runId))?.task?.unread, 0, "nobody else sees it before the commit");
        }
      });
      const task = await t.worker().take();
      equal(task.claim.runId, parked.run.runId, "the parked run is woken by the commit");
      equal(
        task.messages.map(({ no, dedupeId, data }) => [no, dedupeId, data]),
        sent.map(({ dedupeId, data }, index) => [index + 1, dedupeId, data]),
        "and has its messages, in order (I18)",
      );
      const renewed = status(await held.worker.renew(held.task), "held", "the held run stays with its holder");
      equal(renewed.messages.length, 1, "who is given the message");
    },
  },
  {
    id: "tx.message-rolls-back",
    level: "L1",
    requires: "tx-deliver",
    invariants: ["I3", "I11", "I18"],
    why: "A signal of a transaction that was rolled back never was: it wakes nobody, takes no number, and may be sent again under its id.",
    hint: "Are the number of a message and its dedupe id taken in the caller's transaction?",
    async run(t) {
      const { run } = await parkedRun(t);
      const { runId } = run;
      const lost = t.make.message(runId, { dedupeId: "payment", data: '"rolled back"' });
      await t.rolledBack((tx) => t.backend.deliver([lost, t.make.message(runId)], { tx }));
      contains((await t.backend.getRun(runId))?.task, { unread: 0, readyAt: null }, "nothing of it is left");
      equal((await t.worker().claim()).tasks, [], "the run is not woken");
      const again = { ...lost, data: '"sent again"' };
      status(only(await t.backend.deliver([again]), "one answer"), "accepted", "its dedupe id is free");
      await t.rolledBack((tx) => t.backend.deliver([t.make.message(runId)], { tx }));
      status(only(await t.backend.deliver([t.make.message(runId)]), "one answer"), "accepted", "others go on");
      const { messages } = await t.worker().take();
      equal(
        messages.map(({ no }) => no),
        [1, 2],
        "numbers have no gap",
      );
      equal(messages[0]?.data, '"sent again"', "the run gets what was sent again");
    },
  },
  {
    id: "tx.message-answers",
    level: "L1",
    requires: "tx-deliver",
    invariants: ["I18", "I29"],
    why: "Whoever sends a signal inside a transaction has to know whether the run takes it.",
    async run(t) {
      const closed = await doneRun(t);
      const open = await t.create();
      const known = t.make.message(open.runId);
      await t.backend.deliver([known]);
      const fresh = t.make.message(open.runId);
      const stranger = t.make.message(open.runId, { incarnation: t.make.commitId() });
      await t.transaction(async (tx) => {
        const messages = [known, fresh, t.make.message(closed.run.runId), stranger, t.make.message("nobody"), fresh];
        equal(
          (await t.backend.deliver(messages, { tx })).map((answer) => answer.status),
          ["duplicate", "accepted", "closed", "unknown", "unknown", "duplicate"],
          "each is answered as outside of a transaction",
        );
        status((await t.backend.deliver([fresh], { tx }))[0], "duplicate", "what it has sent itself it knows");
      });
      contains((await t.backend.getRun(open.runId))?.task, { unread: 2 }, "two messages were accepted in all");
    },
  },
  {
    id: "tx.sees-what-others-committed",
    level: "L1",
    requires: ["tx-createRuns", "tx-deliver"],
    invariants: ["I15", "I18"],
    why: "A user's transaction may be older than what it meets: others have created its run and sent its message meanwhile.",
    hint: "Where a transaction reads as of its beginning, what decides has to be read by a statement that locks.",
    async run(t) {
      const { run } = await parkedRun(t);
      const theirs = t.make.run();
      const message = t.make.message(run.runId);
      const mine = t.make.message(run.runId);
      await t.transaction(async (tx) => {
        await t.backend.createRuns([t.make.run({ queue: "other" })], { tx });
        await t.backend.deliver([message]);
        await t.backend.createRuns([theirs]);
        const [known] = await t.backend.createRuns([{ ...theirs, incarnation: t.make.commitId() }], { tx });
        equal(status(known, "existing", "the run is there").run.incarnation, theirs.incarnation, "and is theirs");
        equal(
          (await t.backend.deliver([message, mine, t.make.message(theirs.runId)], { tx })).map(
            (answer) => answer.status,
          ),
          ["duplicate", "accepted", "accepted"],
          "a message that has arrived is a duplicate, and a run that is there takes one",
        );
      });
      const { tasks } = await t.worker().claim();
      const woken = tasks.find(({ claim }) => claim.runId === run.runId);
      equal(
        woken?.kind === "workflow" ? woken.messages.map(({ no, dedupeId }) => [no, dedupeId]) : woken,
        [
          [1, message.dedupeId],
          [2, mine.dedupeId],
        ],
        "messages from inside and outside have numbers of their own",
      );
    },
  },
  {
    id: "tx.calls-at-once",
    level: "L1",
    requires: ["tx-createRuns", "tx-deliver"],
    invariants: ["I3", "I18"],
    why: "Promise.all in a transaction is everyday code: what it starts and sends must all be there.",
    hint: "Calls of one transaction lock nothing against one another. Does the next one wait until the one before is through?",
    async run(t) {
      const { run } = await parkedRun(t);
      const [first, second] = t.make.runs(2);
      const sent = t.make.messages(4, run.runId);
      const statuses = await t.transaction(async (tx) => {
        const answers = await Promise.all([
          ...sent.map((message) => t.backend.deliver([message], { tx })),
          ...[first!, second!, first!].map((start) => t.backend.createRuns([start], { tx })),
          t.backend.deliver([sent[0]!], { tx }),
        ]);
        return answers.map(([answer]) => answer!.status);
      });
      equal(
        statuses,
        ["accepted", "accepted", "accepted", "accepted", "created", "created", "existing", "duplicate"],
        "calls that overlap are answered as if each had waited for the one before",
      );
      const { tasks } = await t.worker().claim();
      equal(
        new Map(
          tasks.map((each) => [
            each.claim.runId,
            each.kind === "workflow" ? each.messages.map(({ dedupeId }) => dedupeId) : null,
          ]),
        ),
        new Map([
          [run.runId, sent.map(({ dedupeId }) => dedupeId)],
          [first!.runId, []],
          [second!.runId, []],
        ]),
        "and all of it is there after the commit, in order (I18)",
      );
    },
  },
];
