import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park, parkedRun } from "../../scenes.ts";

const TEN_MINUTES = 600_000;

export const clockCases: readonly ConformanceCase[] = [
  {
    id: "lease.clients-with-wrong-clocks",
    level: "L3",
    requires: "shared-clock",
    invariants: ["I8", "I24"],
    guards: ["fast-client-kept-out"],
    why: "A client whose clock is ten minutes ahead would take every live lease.",
    hint: "No time of a client may reach a statement; ask the store.",
    async run(t) {
      const [fast, slow] = [await t.open({ skewMs: TEN_MINUTES }), await t.open({ skewMs: -TEN_MINUTES })];
      const { worker, task } = await heldRun(t);
      equal((await t.worker(fast).claim()).tasks, [], "a client that is ahead does not end a live lease");
      t.guard("fast-client-kept-out");
      status(await worker.renew(task), "held", "its holder still holds it");
      await t.create();
      const late = await t.worker(slow).take();
      equal((await t.worker().claim()).tasks, [], "the lease that a client behind has taken lives for all");
      equal((await t.worker(fast).claim()).tasks, [], "also for the one ahead");
      check(late.leaseUntil > (await t.time.now()) + 30_000, "it has its whole length");
      const times = [await fast.now(), await slow.now(), await t.backend.now()];
      check(Math.max(...times) - Math.min(...times) < TEN_MINUTES / 2, "all clients are told the same time");
    },
    twin: {
      id: "lease.clock-error-is-declared",
      why: "Leases end and timers fire later by the declared error: it must be small.",
      async run(t) {
        const { clock } = t.info.capabilities;
        check(
          clock.kind === "client" && clock.errorMs >= 0 && clock.errorMs <= 5_000,
          "the error is at most five seconds",
        );
      },
    },
  },
  {
    id: "timer.clients-with-wrong-clocks",
    level: "L3",
    requires: "shared-clock",
    invariants: ["I10", "I24"],
    why: "A client whose clock is ahead would fire every timer early, one behind would never.",
    async run(t) {
      const [fast, slow] = [await t.open({ skewMs: TEN_MINUTES }), await t.open({ skewMs: -TEN_MINUTES })];
      const { worker, task } = await heldRun(t);
      const before = await t.time.now();
      const wakeAt = before + t.time.short;
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      const entry = t.make.cacheEntry({ expiresAt: wakeAt });
      await slow.writeCache([entry]);
      const early = await t.worker(fast).claim();
      check(early.now < before + TEN_MINUTES / 2, "a client that is ahead does not move the store's clock");
      if (early.now < wakeAt) equal(early.tasks, [], "and does not fire it");
      if ((await t.time.now()) < wakeAt) check((await fast.readCache([entry.key]))[0], "nor lets an entry expire");
      await t.time.until(wakeAt);
      if (early.tasks.length === 0)
        equal((await t.worker(slow).claim()).tasks.length, 1, "one that is behind fires it in time");
      equal((await slow.readCache([entry.key]))[0], undefined, "and sees the entry expired");
    },
  },
  {
    id: "timer.clock-set-back",
    level: "L3",
    requires: "step-back",
    invariants: ["I10", "I11", "I24"],
    why: "The clock under the store is set back by a minute: woken runs must not disappear, leases must not grow.",
    hint: "Keep the highest time that was handed out, and never hand out less.",
    async run(t) {
      const held = await heldRun(t, { queue: "q" }, 30_000, { queues: ["q"] });
      const { run } = await parkedRun(t);
      await t.backend.deliver([t.make.message(run.runId)]);
      const before = await t.time.now();
      await t.time.stepBack(60_000);
      check((await t.time.now()) >= before, "now does not go back");
      equal((await t.worker().take()).claim.runId, run.runId, "a woken run stays claimable");
      const fresh = await t.create();
      equal((await t.worker().take()).claim.runId, fresh.runId, "a new run is claimable at once");
      const later = await (await t.open()).now();
      check(later >= before, "a client that is opened later is told no less");
      const renewed = status(await held.worker.renew(held.task, 30_000), "held", "the holder renews");
      check(renewed.leaseUntil >= held.task.leaseUntil, "and its lease does not shrink");
    },
  },
  {
    id: "timer.clock-stands-still",
    level: "L3",
    invariants: ["I6", "I24"],
    why: "Many things happen within one millisecond: order and ownership must not depend on time.",
    async run(t) {
      const worker = t.worker();
      const run = await t.create();
      for (let epoch = 1; epoch <= 20; epoch++) {
        const task = await worker.take();
        equal(task.claim.epoch, epoch, "epochs count, whatever the clock says");
        await t.backend.deliver([t.make.message(run.runId)]);
        await park(t, worker, task, { ackInbox: epoch - 1, next: { do: "park", wakeAt: 0 } });
      }
      const last = await worker.take();
      contains(last, { lastSeq: 21, inboxAcked: 19 }, "nothing was lost or doubled");
      equal(
        last.messages.map(({ no }) => no),
        [20],
        "messages have their order from their numbers",
      );
    },
  },
];
