import type { StorageBackend, Topic, TransactionalVerb } from "@perdure/core/storage";
import { check, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { ConformanceFailure } from "../../failure.ts";
import { heldActivity, heldRun, park } from "../../scenes.ts";
import { txMessageCases } from "./tx-messages.ts";
import { txOutcomeCases } from "./tx-outcomes.ts";
import { txStartCases } from "./tx-starts.ts";
import { txTimeCases } from "./tx-time.ts";

/** How long others may take beside a transaction, on a busy machine. */
const PATIENCE_MS = 8_000;

/** A write of each verb that is declared to join transactions; none of them wrote anything before. */
async function writes(t: CaseContext): Promise<ReadonlyMap<TransactionalVerb, (tx: unknown) => Promise<unknown>>> {
  const { transactions } = t.info.capabilities;
  const { activity, run } = await heldActivity(t);
  const all: readonly [TransactionalVerb, (tx: unknown) => Promise<unknown>][] = [
    ["createRuns", (tx) => t.backend.createRuns([t.make.run()], { tx })],
    ["deliver", (tx) => t.backend.deliver([t.make.message(run.runId)], { tx })],
    ["commitTasks", (tx) => t.backend.commitTasks([t.make.outcome(activity)], { tx })],
  ];
  return new Map(all.filter(([verb]) => transactions.includes(verb)));
}

/** Nobody has been given anything. */
async function untouched(t: CaseContext): Promise<void> {
  equal((await t.worker().claim()).tasks, [], "nothing was written beside the transaction");
}

/** Waits for what must not wait for a transaction. */
async function soon<T>(what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new ConformanceFailure(what)), PATIENCE_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a hint comes after the commit; one may be lost, so the write is repeated. */
async function hintedByCommit(
  t: CaseContext,
  listener: StorageBackend,
  topic: Topic,
  write: (tx: unknown) => Promise<unknown>,
): Promise<boolean> {
  let came = false;
  const subscription = await listener.subscribe!(({ of }) => {
    if (of === topic.of) came = true;
  });
  subscription.add(topic);
  for (let attempt = 0; attempt < 3 && !came; attempt++) {
    await t.transaction(async (tx) => {
      await write(tx);
      await t.time.wait(30);
      // One that came too early wakes somebody who sees nothing.
      came = false;
    });
    for (let wait = 0; wait < 40 && !came; wait++) await t.time.wait(25);
  }
  await subscription.close();
  return came;
}

export const txCases: readonly ConformanceCase[] = [
  ...txStartCases,
  ...txMessageCases,
  ...txTimeCases,
  ...txOutcomeCases,
  {
    id: "tx.all-in-one",
    level: "L1",
    requires: ["tx-createRuns", "tx-deliver", "tx-commitTasks"],
    invariants: ["I3", "I11"],
    why: "A transactional activity may start runs and send signals in its transaction: all of it happens with its result, or none.",
    async run(t) {
      const { run, activity, worker } = await heldActivity(t);
      const started = t.make.run({ queue: "new" });
      const write = async (tx: unknown): Promise<readonly string[]> => [
        ...(await t.backend.createRuns([started], { tx })).map((answer) => answer.status),
        ...(await t.backend.deliver([t.make.message(started.runId), t.make.message(run.runId)], { tx })).map(
          (answer) => answer.status,
        ),
        ...(await t.backend.commitTasks([t.make.outcome(activity)], { tx })).map((answer) => answer.status),
      ];
      await t.rolledBack(write);
      equal((await t.worker().claim({ queues: ["main", "new"] })).tasks, [], "after a roll-back nothing is there");
      status(await worker.renew(activity), "held", "and the claim is good");
      equal(await t.transaction(write), ["created", "accepted", "accepted", "ok"], "each write sees those before it");
      const { tasks } = await t.worker().claim({ queues: ["main", "new"] });
      equal(
        new Map(tasks.map((task) => [task.claim.runId, task.kind === "workflow" ? task.messages.length : task.kind])),
        new Map([
          [run.runId, 2],
          [started.runId, 1],
        ]),
        "after the commit all of it is",
      );
    },
  },
  {
    id: "tx.foreign-refused",
    level: "L1",
    requires: "tx-createRuns",
    invariants: ["I3", "I29"],
    guards: ["foreign-transaction-refused"],
    why: "What is no transaction of this store cannot roll a write back: writing all the same would be for good, and nobody would know.",
    async run(t) {
      const calls = await writes(t);
      for (const foreign of [{}, null, "begin", 7, () => {}]) {
        for (const [verb, write] of calls) {
          await throws("invalid-argument", `${verb} refuses a ${typeof foreign} that is no transaction`, () =>
            write(foreign),
          );
          t.guard("foreign-transaction-refused");
        }
      }
      await untouched(t);
    },
  },
  {
    id: "tx.finished-refused",
    level: "L1",
    requires: "tx-createRuns",
    invariants: ["I3", "I29"],
    guards: ["finished-transaction-refused"],
    why: "A promise that was not awaited writes after the end of its transaction: on a connection that is back in its pool, that is outside of any.",
    hint: "Ask the connection, or the query builder, whether its transaction is still open.",
    async run(t) {
      const calls = await writes(t);
      const finished: unknown[] = [];
      await t.transaction(async (tx) => void finished.push(tx));
      await t.rolledBack(async (tx) => finished.push(tx));
      for (const tx of finished) {
        for (const [verb, write] of calls) {
          await throws("invalid-argument", `${verb} refuses a transaction that is over`, () => write(tx));
          t.guard("finished-transaction-refused");
        }
      }
      await untouched(t);
    },
  },
  {
    id: "tx.holds-up-nobody",
    level: "L1",
    requires: ["tx-createRuns", "tx-deliver", "tx-commitTasks"],
    invariants: ["I9", "I27"],
    why: "A user's transaction lasts as long as the user likes: the runs that it is about may wait for it, everybody else must not.",
    hint: "Does a write take a lock that all writes take: the row of a clock, a counter, a queue that is new?",
    async run(t) {
      const mine = await heldActivity(t);
      const busy = await heldRun(t);
      const queue = "new";
      const ready = await t.create({ queue });
      const outside = async (): Promise<void> => {
        const run = await t.create({ queue });
        const worker = t.worker();
        const { tasks } = await worker.claim({ queues: [queue], kinds: ["workflow"] });
        const task = tasks.find(({ claim }) => claim.runId === run.runId);
        check(task?.kind === "workflow", "another run of the same queue is handed out");
        await park(t, worker, task, { schedule: [t.make.activity(run, 2, { queue })] });
        const activity = await worker.takeActivity({ queues: [queue] });
        status(await worker.renew(activity), "held", "its activity is renewed");
        status(await worker.commit(t.make.outcome(activity)), "ok", "and ends");
        status((await t.backend.deliver([t.make.message(run.runId)]))[0], "accepted", "it gets a message");
        const again = await worker.take({ queues: [queue] });
        status(await worker.commit(t.make.final(again)), "ok", "and comes to its end");
        status(await busy.worker.renew(busy.task), "held", "others renew their leases");
        await t.backend.listRuns({ limit: 10 });
        await t.backend.stats();
        await t.backend.now();
      };
      await t.transaction(async (tx) => {
        const started = t.make.run({ queue, workflow: "order" });
        await t.backend.createRuns([started], { tx });
        const told = [mine.run, started, ready].map(({ runId }) => t.make.message(runId));
        await t.backend.deliver(told, { tx });
        await t.backend.commitTasks([t.make.outcome(mine.activity)], { tx });
        await soon(`others go on within ${PATIENCE_MS} ms beside an open transaction`, outside());
      });
      const { tasks } = await t.worker().claim({ queues: ["main", queue] });
      const others = tasks.filter(({ claim }) => claim.runId !== ready.runId);
      equal(others.length, 2, "what it wrote is there at its end");
    },
  },
  {
    id: "tx.hint",
    level: "L1",
    requires: ["tx-createRuns", "tx-deliver", "wakeups"],
    invariants: ["I11"],
    why: "A hint that comes with the write is too early: who follows it sees nothing, and sleeps until its next poll.",
    hint: "Announce what was woken in the transaction itself, if the database tells it after the commit.",
    async run(t) {
      const listener = t.info.capabilities.wakeups === "push" ? await t.open() : t.backend;
      const started = await hintedByCommit(t, listener, { of: "queue", queue: "new" }, (tx) =>
        t.backend.createRuns([t.make.run({ queue: "new" })], { tx }),
      );
      check(started, "a run of a transaction is hinted at when that is committed");
      const { run } = await heldRun(t);
      const { runId } = run;
      const told = await hintedByCommit(t, listener, { of: "inbox", runId }, (tx) =>
        t.backend.deliver([t.make.message(runId)], { tx }),
      );
      check(told, "a message to a held run is hinted at when its transaction is committed");
    },
  },
];
