import { isPerdureError, type StorageBackend } from "@perdure/core/storage";
import { check, contains, equal, only, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { history } from "../../snapshot.ts";
import { heldRun, park } from "../../scenes.ts";

const TEN_MINUTES = 600_000;

/** Two clients whose clocks are as far apart as is declared. */
async function fastAndSlow(t: CaseContext): Promise<readonly [fast: StorageBackend, slow: StorageBackend]> {
  const half = Math.floor(t.time.errorMs / 2);
  return [await t.open({ skewMs: half }), await t.open({ skewMs: -half })];
}

/** Lets time pass until a client's own clock says so, and no longer. */
async function untilItSays(t: CaseContext, client: StorageBackend, at: number): Promise<void> {
  for (let left = at - (await client.now()); left > 0; left = at - (await client.now())) await t.time.pass(left);
}

/** A client whose clock is off by much more than is declared; undefined: the storage refuses to work with it. */
async function farOff(t: CaseContext, skewMs: number): Promise<StorageBackend | undefined> {
  try {
    return await t.open({ skewMs });
  } catch (error) {
    check(isPerdureError(error, "misconfigured"), "a client whose clock is far off works, or is told so");
    return undefined;
  }
}

export const clientClockCases: readonly ConformanceCase[] = [
  {
    id: "lease.kept-from-a-fast-clock",
    level: "L3",
    requires: "client-clock",
    invariants: ["I8", "I24"],
    guards: ["fast-clock-kept-out"],
    why: "Where each client goes by its own clock, the one that is ahead must not take a lease that still lives by the clock of its holder.",
    hint: "Take over at the end of the lease plus errorMs, by the clock of the one that takes.",
    async run(t) {
      const [fast, slow] = await fastAndSlow(t);
      await t.create();
      const holder = t.worker(slow);
      const first = await holder.take({ leaseMs: t.time.short });
      const renewed = status(await holder.renew(first, t.time.short), "held", "the holder renews");
      const until = renewed.leaseUntil;
      for (const moment of [until, until + Math.floor(t.time.errorMs / 2)]) {
        await untilItSays(t, fast, moment);
        const early = await t.worker(fast).claim();
        if ((await slow.now()) < until)
          equal(early.tasks, [], "while it lives by its holder's clock the lease is nobody else's");
      }
      status(await holder.renew(first, t.time.short), "held", "the holder still holds it");
      t.guard("fast-clock-kept-out");
    },
  },
  {
    id: "lease.taken-by-a-slow-clock",
    level: "L3",
    requires: "client-clock",
    invariants: ["I8", "I9"],
    why: "The work of a dead worker whose clock was ahead must not wait for longer than the error of clocks.",
    async run(t) {
      const [fast, slow] = await fastAndSlow(t);
      await t.create();
      const dead = await t.worker(fast).take({ leaseMs: t.time.short });
      const waiting = await t.worker(slow).claim();
      if (waiting.now < dead.leaseUntil)
        equal(waiting.nextReadyAt, t.time.claimableAt(dead.leaseUntil), "the slow one learns when, by its clock");
      await t.time.until(dead.leaseUntil);
      equal((await t.worker(slow).take()).claim.epoch, 2, "and gets it then");
    },
  },
  {
    id: "timer.not-early-by-a-fast-clock",
    level: "L3",
    requires: "client-clock",
    invariants: ["I10", "I24"],
    guards: ["fast-clock-waits"],
    why: "A time that one client has set must not have come for another while it has not for the first.",
    hint: "A time that is still to come is due at errorMs after it, by whatever clock.",
    async run(t) {
      const [fast, slow] = await fastAndSlow(t);
      await t.create();
      const worker = t.worker(slow);
      const task = await worker.take();
      const dueAt = (await slow.now()) + t.time.short;
      const schedule = [t.make.activity(task.run, 2, { readyAt: dueAt })];
      await park(t, worker, task, { schedule, next: { do: "park", wakeAt: dueAt } });
      await slow.createRuns([t.make.run({ readyAt: dueAt })]);
      await untilItSays(t, fast, dueAt);
      const early = await t.worker(fast).claim({ kinds: ["workflow", "activity"] });
      if ((await slow.now()) < dueAt) {
        equal(early.tasks, [], "what is due later by the clock that set it is not due");
        equal(early.nextReadyAt, t.time.claimableAt(dueAt), "it is announced for when it will be");
      }
      t.guard("fast-clock-waits");
      await t.time.until(dueAt);
      const late = await t.worker(fast).claim({ kinds: ["workflow", "activity"] });
      equal(late.tasks.length + early.tasks.length, 3, "it comes");
    },
  },
  {
    id: "timer.ready-for-slow-clocks",
    level: "L3",
    requires: "client-clock",
    invariants: ["I11"],
    why: "What one client has made ready is ready for all: a worker that was told of it must not find nothing because its clock is behind.",
    hint: "Look for what is ready by your clock plus errorMs, and store what is due later by as much later.",
    async run(t) {
      const [fast, slow] = await fastAndSlow(t);
      const worker = t.worker(slow);
      const run = t.make.run();
      await fast.createRuns([run]);
      const task = await worker.take();
      await park(t, worker, task, { next: { do: "park", wakeAt: null } });
      await fast.deliver([t.make.message(run.runId)]);
      const woken = await worker.take();
      equal(woken.messages.length, 1, "a message wakes for all clocks");
      const blocked = { ackInbox: 1, next: { do: "block", reason: '"why"', until: null } } as const;
      await worker.commit(t.make.turn(woken, { ...blocked, schedule: [] }));
      await fast.unblockTasks([woken.claim.taskId]);
      const unblocked = await worker.take();
      await t
        .worker(fast)
        .commit({ ...t.make.turn(unblocked), schedule: [t.make.activity(run, unblocked.lastSeq + 1)] });
      const quick = t.worker(fast);
      await quick.commit(t.make.outcome(await worker.takeActivity(), { do: "release" }));
      await worker.takeActivity();
    },
  },
  {
    id: "fence.clocks-far-off",
    level: "L3",
    requires: "client-clock",
    invariants: ["I1", "I6", "I24"],
    guards: ["robbed-holder-refused"],
    why: "A clock that is off by more than is declared may cost somebody his lease. It must never cost a history: who writes is decided by the epoch.",
    hint: "Compare epochs in the write, and no times.",
    async run(t) {
      const [ahead, behind] = [await farOff(t, TEN_MINUTES), await farOff(t, -TEN_MINUTES)];
      const { run, worker, task } = await heldRun(t, {}, t.time.short);
      let thief = ahead && t.worker(ahead);
      let taken = (await thief?.claim())?.tasks ?? [];
      if (taken.length === 0) {
        await t.time.until(task.leaseUntil);
        thief = t.worker();
        taken = (await thief.claim()).tasks;
      }
      const stolen = only(taken, "the run is handed to another worker");
      check(stolen.kind === "workflow", "it is a workflow task");
      equal(stolen.claim.epoch, 2, "under an epoch that is higher by one");
      status(await worker.commit(t.make.turn(task)), "lease-lost", "the holder before it writes nothing");
      status(await worker.renew(task), "lost", "nor does it renew, whatever its clock says of its lease");
      t.guard("robbed-holder-refused");
      status(await thief!.commit(t.make.turn(stolen, { next: { do: "hold" } })), "ok", "the newest holder writes");
      if (behind !== undefined) {
        const same = t.make.turn(stolen, { expectedSeq: 2, next: { do: "hold" } });
        status((await behind.commitTasks([same]))[0], "ok", "also through a client that is behind");
      }
      const seqs = (await history(t.backend, run.runId)).map(({ seq }) => seq);
      equal(seqs, behind === undefined ? [1, 2] : [1, 2, 3], "the history is what was accepted, in that order");
    },
  },
  {
    id: "events.order-is-not-time",
    level: "L3",
    requires: "client-clock",
    invariants: ["I1", "I2", "I18"],
    why: "Turns of workers whose clocks differ carry times that go back: what happened first is told by numbers.",
    async run(t) {
      const clients = await fastAndSlow(t);
      const run = await t.create();
      const told: unknown[] = [];
      for (let turn = 1; turn <= 6; turn++) {
        const worker = t.worker(clients[turn % 2]!);
        await clients[(turn + 1) % 2]!.deliver([t.make.message(run.runId, { data: `"m${turn}"` })]);
        const task = await worker.take();
        contains(task, { lastSeq: turn, inboxAcked: turn - 1 }, "each holder goes on from the one before");
        told.push(...task.messages.map(({ data }) => data));
        await park(t, worker, task, { ackInbox: turn });
      }
      equal(
        told,
        ['"m1"', '"m2"', '"m3"', '"m4"', '"m5"', '"m6"'],
        "messages come once, in the order of their arrival",
      );
      const seqs = (await history(t.backend, run.runId)).map(({ seq }) => seq);
      equal(seqs, [1, 2, 3, 4, 5, 6, 7], "and so do events");
    },
  },
];
