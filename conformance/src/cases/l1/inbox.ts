import { check, contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park } from "../../scenes.ts";
import { unchanged } from "../../snapshot.ts";

export const inboxCases: readonly ConformanceCase[] = [
  {
    id: "inbox.order-and-numbers",
    level: "L1",
    invariants: ["I18"],
    why: "Messages become events in the order in which they were accepted; the numbers say what was consumed.",
    async run(t) {
      const { runId } = await t.create();
      const before = await t.time.now();
      const messages = t.make.messages(7, runId);
      await t.backend.deliver(messages.slice(0, 3));
      await t.time.pass(3);
      await t.backend.deliver(messages.slice(3, 4));
      await t.backend.deliver(messages.slice(4));
      const task = await t.worker().take();
      equal(
        task.messages.map(({ no }) => no),
        [1, 2, 3, 4, 5, 6, 7],
        "numbered 1 … n",
      );
      for (const [index, { data, dedupeId }] of messages.entries()) {
        contains(task.messages[index], { data, dedupeId }, "in the order of acceptance, each as it was sent");
      }
      const times = task.messages.map(({ at }) => at);
      check(
        times.every((at, index) => at >= (times[index - 1] ?? before)),
        "with the storage's time of acceptance",
      );
      check(times.at(-1)! <= (await t.time.now()), "which is not in the future");
    },
  },
  {
    id: "inbox.closed-and-unknown",
    level: "L1",
    invariants: ["I5", "I29"],
    guards: ["message-to-closed-refused"],
    why: "A sender must learn that nobody will read its message.",
    async run(t) {
      const { run } = await doneRun(t);
      await unchanged(t, [run.runId], "a refused message changes nothing", async () => {
        const answers = await t.backend.deliver([t.make.message(run.runId), t.make.message("nobody")]);
        const statuses = answers.map((answer) => answer.status);
        equal(statuses, ["closed", "unknown"], "closed and unknown are told apart");
        const many = [run.runId, "nobody"].flatMap((runId) => t.make.messages(2, runId));
        const each = (await t.backend.deliver(many)).map((answer) => answer.status);
        equal(each, ["closed", "closed", "unknown", "unknown"], "also of several at once");
        t.guard("message-to-closed-refused");
      });
    },
  },
  {
    id: "inbox.addressed-to-an-incarnation",
    level: "L1",
    invariants: ["I6", "I22"],
    guards: ["message-to-other-incarnation-refused"],
    why: "A child tells its own parent, not a later run that has taken its name.",
    async run(t) {
      const run = await t.create();
      const right = t.make.message(run.runId, { incarnation: run.incarnation });
      const wrong = t.make.message(run.runId, { incarnation: t.make.run().incarnation });
      const answers = await t.backend.deliver([wrong, right]);
      equal(
        answers.map((answer) => answer.status),
        ["unknown", "accepted"],
        "only the named incarnation takes it",
      );
      t.guard("message-to-other-incarnation-refused");
      equal((await t.worker().take()).messages.length, 1, "nothing of the refused one is there");
    },
  },
  {
    id: "inbox.batch-of-many-runs",
    level: "L1",
    invariants: ["I3", "I18"],
    why: "Group commit mixes messages of many runs; each keeps its own order and has its own answer.",
    async run(t) {
      const runs = t.make.runs(5);
      await t.backend.createRuns(runs);
      const { run: closed } = await doneRunBeside(t);
      const messages = t.random.shuffle(
        runs.flatMap(({ runId }) => t.make.messages(6, runId)).concat(t.make.messages(3, closed.runId)),
      );
      const answers = await t.backend.deliver(messages);
      for (const [index, answer] of answers.entries()) {
        const expected = messages[index]!.runId === closed.runId ? "closed" : "accepted";
        equal(answer.status, expected, "answers stand in the order of the messages");
      }
      for (const task of (await t.worker().claim()).tasks) {
        check(task.kind === "workflow", "workflow tasks only");
        const sent = messages.filter(({ runId }) => runId === task.claim.runId).map(({ dedupeId }) => dedupeId);
        equal(
          task.messages.map(({ dedupeId }) => dedupeId),
          sent,
          "each run has its own, in order",
        );
      }
    },
  },
  {
    id: "inbox.ack-in-parts",
    level: "L1",
    invariants: ["I18"],
    why: "A turn may take some messages and leave others; none is lost, none is read twice.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      // An outcome beside each signal: their ids are kept for different times, but not the messages.
      const sent = t.make.messages(6, run.runId).map((message, index) => ({ ...message, external: index % 2 === 0 }));
      await t.backend.deliver(sent);
      const seen: string[] = [];
      let expectedSeq = 1;
      for (const ackInbox of [0, 2, 2, 3, 6]) {
        const commit = t.make.turn(task, { expectedSeq, ackInbox, next: { do: "hold" } });
        const answer = status(await worker.commit(commit), "ok", "the commit is applied");
        equal(
          answer.messages.map(({ no }) => no),
          [1, 2, 3, 4, 5, 6].slice(ackInbox),
          "what is left is shown",
        );
        expectedSeq += 1;
        const unread = (await t.backend.getRun(run.runId))?.task?.unread;
        equal(unread, 6 - ackInbox, "and counted");
        seen.push(String(ackInbox));
      }
      await park(t, worker, task, { expectedSeq, ackInbox: 6 });
      equal((await worker.claim()).tasks, [], "with nothing unread the run sleeps");
      await t.backend.deliver([t.make.message(run.runId)]);
      const again = await worker.take();
      contains(again, { inboxAcked: 6 }, "the next claim knows what was consumed");
      equal(
        again.messages.map(({ no }) => no),
        [7],
        "numbers go on",
      );
    },
  },
  {
    id: "inbox.full-batch",
    level: "L1",
    invariants: ["I3", "I18", "I29"],
    guards: ["batch-limit-refused"],
    why: "A batch of the declared size works; one more is a typed error and writes nothing.",
    timeoutMs: 120_000,
    async run(t) {
      const { runId } = await t.create();
      const messages = t.make.messages(t.info.limits.batch, runId, { data: "1" });
      await throws("invalid-argument", "one message more than the limit is refused", () =>
        t.backend.deliver([...messages, t.make.message(runId)]),
      );
      t.guard("batch-limit-refused");
      equal((await t.backend.getRun(runId))?.task?.unread, 0, "a refused batch writes nothing");
      const answers = await t.backend.deliver(messages);
      check(
        answers.length === messages.length && answers.every((answer) => answer.status === "accepted"),
        "a full batch is",
      );
      const task = await t.worker().take();
      check(
        task.messages.every(({ no }, index) => no === index + 1),
        "numbered without a gap",
      );
      equal(task.messages.length, messages.length, "all of it travels with the claim");
    },
  },
];

async function doneRunBeside(t: Parameters<ConformanceCase["run"]>[0]): ReturnType<typeof doneRun> {
  return doneRun(
    t,
    { queue: "beside", workflow: "beside" },
    { queues: ["beside"], handlers: { workflows: ["beside"], activities: [] } },
  );
}
