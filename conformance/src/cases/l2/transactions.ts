import {
  activity,
  type Activity,
  type RunHandle,
  type RunInTransaction,
  signal,
  type Workflow,
  workflow,
} from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";
import type { Lab } from "./lab.ts";

/** Of a worker that is going to die: somebody waits for it to end. */
const SHORT_LEASE_MS = 500;
const DELAY_MS = 30;

/** What a transactional activity writes: a message to the run that keeps the books stands for a row of the user's. */
const booked = signal<string>("booked");
const closed = signal("closed");

/** The run that keeps the books, and answers all that was booked. */
function books({ queue }: Lab): Definition<readonly string[]> {
  return workflow({ name: "books", queue }, async (ctx) => {
    await ctx.waitFor(closed);
    const found: string[] = [];
    for (;;) {
      const entry = await ctx.waitFor(booked, { timeout: 0 }).catch(() => null);
      if (entry === null) return found;
      found.push(entry);
    }
  });
}

type Definition<Output> = Workflow<unknown, Output, Record<string, never>>;

interface Booking {
  readonly book: Activity<string, string>;
  readonly order: Definition<string>;
  readonly ledger: RunHandle<readonly string[], Record<string, never>>;
  readonly definitions: readonly (Definition<readonly string[]> | Definition<string>)[];
}

/** An order whose only activity books something in a transaction; `code` runs after the entry was written. */
async function booking(
  lab: Lab,
  code: (attempt: number) => unknown,
  transaction: RunInTransaction<unknown> = (run) => lab.t.transaction(run),
): Promise<Booking> {
  const keeping = books(lab);
  const ledger = await lab.start(keeping, undefined);
  const book = activity(
    { name: "book", transaction, retry: { maximumAttempts: 3, delay: DELAY_MS } },
    async (entry: string, { tx, attempt }) => {
      await ledger.signal(booked, entry, { tx });
      await code(attempt);
      return `${entry} in attempt ${attempt}`;
    },
  );
  const order = workflow({ name: "order", queue: lab.queue }, async (ctx) => {
    const result = await ctx.run(book, "one pen");
    // What would be executed again has the time for it.
    await ctx.sleep(DELAY_MS * 4);
    return result;
  });
  return { book, order, ledger, definitions: [keeping, order] };
}

/** Everything that was booked. */
async function entries(lab: Lab, ledger: Booking["ledger"]): Promise<readonly string[]> {
  await ledger.signal(closed, undefined);
  return lab.output(ledger);
}

export const transactionCases: readonly ConformanceCase[] = [
  bothWays({
    id: "tx.activity-retried",
    requires: ["tx-deliver", "tx-commitTasks"],
    invariants: ["I3", "I12", "I13"],
    why: "An attempt that fails after it has written leaves nothing; the one that succeeds leaves its writes once, with its result.",
    async play(lab) {
      const attempts: number[] = [];
      const { book, order, ledger, definitions } = await booking(lab, (attempt) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error("deadlock");
      });
      // One slot for all: the run does not hold it while it waits.
      await lab.work(definitions, { activities: [book], concurrency: 1 });
      const run = await lab.start(order, undefined);
      equal(await lab.output(run), "one pen in attempt 2", "the run has the result of the attempt that succeeded");
      equal(await entries(lab, ledger), ["one pen"], "what it wrote is there once");
      equal(attempts, [1, 2], "there were no other executions (I13)");
      const scheduled = (await run.history()).find(({ type }) => type === "ACTIVITY_SCHEDULED");
      check(scheduled?.data !== undefined && "where" in scheduled.data, "it was an activity task");
      equal((scheduled!.data as { readonly where: string }).where, "task", "also for a worker that had its run");
    },
  }),
  bothWays({
    id: "tx.activity-commit-unknown",
    requires: ["tx-deliver", "tx-commitTasks"],
    invariants: ["I6", "I7", "I12", "I13"],
    why: "A connection that breaks during COMMIT leaves the worker not knowing: what was committed must not happen again, what was not must.",
    hint: "Is a retry refused as `lease-lost` when the task was completed in a transaction?",
    async play(lab) {
      const lost = new Error("The connection was lost during COMMIT.");
      let [transactions, executions] = [0, 0];
      const { book, order, ledger, definitions } = await booking(
        lab,
        () => executions++,
        async (run) => {
          const nth = ++transactions;
          if (nth === 1) await lab.t.rolledBack(run);
          const answer = nth === 1 ? null : await lab.t.transaction(run);
          if (nth <= 2) throw lost;
          return answer!;
        },
      );
      await lab.work(definitions, { activities: [book] });
      const run = await lab.start(order, undefined);
      equal(await lab.output(run), "one pen in attempt 2", "the attempt whose transaction was committed counts");
      equal(await entries(lab, ledger), ["one pen"], "what it wrote is there once");
      equal([transactions, executions], [2, 2], "and nothing was executed after it (I13)");
    },
  }),
  bothWays({
    id: "tx.activity-worker-dies",
    requires: ["tx-deliver", "tx-commitTasks"],
    invariants: ["I8", "I9", "I12", "I13"],
    why: "A worker that dies in its transaction has written nothing, one that dies right after it has finished: its death changes neither.",
    async play(lab) {
      let [transactions, executions] = [0, 0];
      const grave = Promise.withResolvers<never>();
      grave.promise.catch(() => {});
      const writing = Promise.withResolvers<void>();
      const written = Promise.withResolvers<void>();
      const { book, order, ledger, definitions } = await booking(
        lab,
        () => {
          if (++executions > 1) return;
          writing.resolve();
          return grave.promise;
        },
        async (run) => {
          const nth = ++transactions;
          if (nth === 1) return lab.t.transaction((tx) => Promise.race([run(tx), grave.promise]));
          const answer = await lab.t.transaction(run);
          if (nth > 2) return answer;
          // It dies here, and hears nothing any more.
          written.resolve();
          return new Promise(() => {});
        },
      );
      const dying = { activities: [book], lease: SHORT_LEASE_MS };
      const first = await lab.work(definitions, dying);
      const run = await lab.start(order, undefined);
      await Promise.race([writing.promise, lab.output(run)]);
      const dead = first.die();
      // The database rolls back what a dead process had begun.
      grave.reject(new Error("The process is dead."));
      await dead;
      const second = await lab.work(definitions, dying);
      await Promise.race([written.promise, lab.output(run)]);
      await second.die();
      await lab.work(definitions, { activities: [book] });
      equal(await lab.output(run), "one pen in attempt 1", "the run has the result");
      equal(await entries(lab, ledger), ["one pen"], "what was written is there once");
      equal([transactions, executions], [2, 2], "what was committed is not executed again (I13)");
    },
  }),
  bothWays({
    id: "tx.start-and-signal",
    requires: ["tx-createRuns", "tx-deliver"],
    invariants: ["I3", "I11", "I15"],
    why: "An order and the run that takes care of it are one thing: placed together, or not at all.",
    async play(lab) {
      const paid = signal<string>("paid");
      const order = workflow({ name: "order", queue: lab.queue }, async (ctx, id: string) => {
        return `${id} paid by ${await ctx.waitFor(paid)}`;
      });
      await lab.work([order]);
      const id = lab.follow("order");
      const place = (by: string) => async (tx: unknown) => {
        const placed = await lab.client.start(order, "o-1", { id, tx });
        await placed.signal(paid, by, { id: "payment", tx });
        return placed;
      };
      await lab.t.rolledBack(place("nobody"));
      equal(await lab.storage.getRun(id), undefined, "what was rolled back never was");
      const run = await lab.t.transaction(place("ada"));
      equal(await lab.output(run), "o-1 paid by ada", "what was committed is carried out");
      const again = await lab.t.transaction((tx) => lab.client.start(order, "o-1", { id, tx }));
      equal(again.incarnation, run.incarnation, "the same start is the same run (I15)");
    },
  }),
];
