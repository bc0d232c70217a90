import { check, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park } from "../../scenes.ts";

export const crowdInboxCases: readonly ConformanceCase[] = [
  {
    id: "inbox.two-hundred-writers",
    level: "L3",
    invariants: ["I11", "I18"],
    why: "A popular run gets two hundred signals at once: all of them, numbered without a gap.",
    hint: "The number comes from the row that is locked, not from a count.",
    timeoutMs: 60_000,
    async run(t) {
      const { runId } = await t.create();
      const clients = await t.clients(8);
      const messages = t.make.messages(200, runId);
      const answers = await Promise.all(messages.map((message, index) => clients[index % 8]!.deliver([message])));
      check(
        answers.flat().every((answer) => answer.status === "accepted"),
        "all are accepted",
      );
      const task = await t.worker().take();
      equal(
        task.messages.map(({ no }) => no),
        Array.from({ length: 200 }, (_, index) => index + 1),
        "numbered 1 … 200",
      );
      const sent = messages.map(({ dedupeId }) => dedupeId).toSorted();
      equal(task.messages.map(({ dedupeId }) => dedupeId).toSorted(), sent, "each is there once");
      const times = task.messages.map(({ at }) => at);
      check(
        times.every((at, index) => at >= (times[index - 1] ?? 0)),
        "their times do not go back",
      );
    },
  },
  {
    id: "inbox.senders-keep-their-order",
    level: "L3",
    invariants: ["I18"],
    why: "What one sender sent first, is first, however many others send.",
    async run(t) {
      const { runId } = await t.create();
      const clients = await t.clients(5);
      await Promise.all(
        clients.map(async (client, sender) => {
          for (let index = 0; index < 15; index++) {
            await client.deliver([t.make.message(runId, { data: JSON.stringify([sender, index]) })]);
          }
        }),
      );
      const data = (await t.worker().take()).messages.map((message) => JSON.parse(message.data) as [number, number]);
      for (let sender = 0; sender < 5; sender++) {
        const own = data.filter(([from]) => from === sender).map(([, index]) => index);
        equal(
          own,
          Array.from({ length: 15 }, (_, index) => index),
          "each sender's messages are in order",
        );
      }
    },
  },
  {
    id: "inbox.one-message-fifty-times",
    level: "L3",
    invariants: ["I18"],
    guards: ["concurrent-duplicate-refused"],
    why: "One signal is sent by fifty callers at once.",
    async run(t) {
      const { runId } = await t.create();
      const clients = await t.clients(5);
      const message = t.make.message(runId);
      const calls = Array.from({ length: 50 }, (_, index) => clients[index % 5]!.deliver([message]));
      const statuses = (await Promise.all(calls)).flat().map((answer) => answer.status);
      equal(statuses.filter((one) => one === "accepted").length, 1, "one is accepted");
      equal(statuses.filter((one) => one === "duplicate").length, 49, "the others are duplicates");
      t.guard("concurrent-duplicate-refused");
      equal((await t.worker().take()).messages.length, 1, "the run has it once");
    },
  },
  {
    id: "inbox.crossing-batches",
    level: "L3",
    invariants: ["I3", "I18"],
    why: "Batches of messages to the same runs, in another order, must not wait for each other for ever.",
    async run(t) {
      const runs = t.make.runs(12);
      await t.backend.createRuns(runs);
      const clients = await t.clients(6);
      const answers = await Promise.all(
        clients.map((client) => client.deliver(t.random.shuffle(runs).map(({ runId }) => t.make.message(runId)))),
      );
      check(
        answers.flat().every((answer) => answer.status === "accepted"),
        "all are accepted",
      );
      const { tasks } = await t.worker().claim({ limit: 12 });
      equal(
        tasks.map((task) => task.kind === "workflow" && task.messages.length),
        runs.map(() => 6),
        "each run has six",
      );
    },
  },
  {
    id: "inbox.hundred-outcomes-in-one-batch",
    level: "L3",
    invariants: ["I3", "I12", "I18"],
    why: "A fan-in: a hundred activities of one run end in one group commit.",
    hint: "Any number of activity commits for one run may stand in a batch; they are applied in order.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const count = Math.min(100, t.info.limits.tasksPerCommit, t.info.limits.batch, t.info.limits.claimTasks);
      const schedule = Array.from({ length: count }, (_, index) => t.make.activity(run, index + 2));
      await park(t, worker, task, { events: t.make.events(count), schedule });
      const claimed = await worker.claim({ limit: count });
      const commits = t.random.shuffle(claimed.tasks).map((activity) => {
        check(activity.kind === "activity", "only activities are ready");
        return t.make.outcome(activity);
      });
      const bad = { ...commits[0]!, claim: { ...commits[0]!.claim, epoch: 9 }, commitId: "late" };
      const answers = await worker.backend.commitTasks(
        [...commits.slice(0, 50), ...commits.slice(50), bad].slice(-t.info.limits.batch),
      );
      equal(answers.filter((answer) => answer.status === "ok").length, count, "each is applied");
      const { messages } = await worker.take();
      equal(
        messages.map(({ no }) => no),
        Array.from({ length: count }, (_, index) => index + 1),
        "numbered 1 … n",
      );
      const order = commits.map(({ next }) => (next.do === "complete" ? next.message.dedupeId : ""));
      equal(
        messages.map(({ dedupeId }) => dedupeId),
        order,
        "in the order of the batch",
      );
    },
  },
  {
    id: "inbox.outcome-against-cancel",
    level: "L3",
    invariants: ["I12", "I17"],
    why: "An activity ends while its run cancels it: either the outcome is in the inbox or the task is gone without one.",
    async run(t) {
      for (let round = 0; round < (t.full ? 100 : 10); round++) {
        const { run, worker, task } = await heldRun(t);
        await worker.commit(t.make.turn(task, { schedule: [t.make.activity(run, 2)], next: { do: "hold" } }));
        const other = t.worker(await t.open());
        const activity = await other.takeActivity();
        const cancel = t.make.turn(task, { expectedSeq: 2, cancel: [activity.claim.taskId], next: { do: "hold" } });
        const early = round % 2 === 0 ? other.commit(t.make.outcome(activity)) : undefined;
        const [cancelled, ended] = await Promise.all([
          worker.commit(cancel),
          early ?? other.commit(t.make.outcome(activity)),
        ]);
        status(cancelled, "ok", "the cancel is applied in any case");
        const renewed = status(await worker.renew(task), "held", "the run is held");
        equal(
          renewed.messages.length,
          ended.status === "ok" ? 1 : 0,
          `an outcome that was answered ${ended.status} counts so`,
        );
        check(ended.status === "ok" || ended.status === "lease-lost", "the outcome is accepted or refused");
        equal((await t.worker().claim()).tasks, [], "the task is gone");
        await worker.commit(t.make.final(task, { expectedSeq: 3, ackInbox: renewed.inboxLast }));
      }
    },
  },
];
