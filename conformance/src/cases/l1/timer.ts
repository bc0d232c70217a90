import type { NewRun } from "@perdure/core/storage";
import { check, contains, equal, status, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park } from "../../scenes.ts";

export const timerCases: readonly ConformanceCase[] = [
  {
    id: "timer.never-early",
    level: "L1",
    invariants: ["I10", "I24"],
    why: "A sleep of an hour that ends a millisecond early fires a timer that is not due, and the run sleeps again, or worse.",
    hint: "Claimable is readyAt <= now, by the clock that is read in the same verb.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const wakeAt = (await t.time.now()) + t.time.short;
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      for (const before of [Math.floor(t.time.short / 2), 10, 1]) {
        await t.time.pass(Math.max(0, wakeAt - (await t.time.now()) - before));
        const early = await worker.claim();
        if (early.now >= wakeAt) return;
        equal(early.tasks, [], `${wakeAt - early.now} ms before its time it is not claimable`);
        equal(early.nextReadyAt, t.time.claimableAt(wakeAt), "and its time is announced to the millisecond");
      }
      await t.time.until(wakeAt);
      const { now, tasks } = await worker.claim();
      equal(tasks.length, 1, "at its time it is");
      check(now >= wakeAt, "by the storage's own now");
    },
  },
  {
    id: "timer.to-the-millisecond",
    level: "L1",
    requires: "driven-clock",
    invariants: ["I8", "I10", "I20", "I24"],
    why: "All that has a time is decided by one rule: at that very moment a lease has ended, a result has expired, a timer is due.",
    hint: "`<=` in one WHERE and `<` in another: who looks by one and acts by the other finds nothing, again and again.",
    async run(t) {
      const begin = 1_800_000_000_000;
      let now = begin;
      const backend = await t.openOn({ now: () => now }, "exact");
      t.onEnd(() => backend.close());
      await backend.setup();
      const runs = t.make.runs(4).map((run, index) => ({ ...run, queue: `q${index}` }));
      const [mine, due, ill, late] = runs as [NewRun, NewRun, NewRun, NewRun];
      const at = begin + 500;
      await backend.createRuns([mine, { ...due, readyAt: at }, ill, { ...late, deadlineAt: at }]);
      const worker = t.worker(backend);
      const held = await worker.take({ queues: [mine.queue], leaseMs: 500 });
      const next = { do: "block", reason: '"why"', until: at } as const;
      await park(t, worker, await worker.take({ queues: [ill.queue] }), { next });
      await park(t, worker, await worker.take({ queues: [late.queue] }));
      await backend.deliver([t.make.message(late.runId)]);
      const entry = t.make.cacheEntry({ expiresAt: at });
      await backend.writeCache([entry]);
      const request = { queues: runs.slice(0, 3).map(({ queue }) => queue) };

      now = begin + 499;
      contains(await t.worker(backend).claim(request), { tasks: [], nextReadyAt: at }, "before it, nothing is");
      equal((await t.worker(backend).claim({ taskIds: [held.claim.taskId] })).tasks, [], "nor by id");
      const before = (await backend.stats()).queues.map(({ ready, leased, blocked, waiting }) => [
        ready,
        leased,
        blocked,
        waiting,
      ]);
      equal(
        before,
        [
          [0, 1, 0, 0],
          [0, 0, 0, 1],
          [0, 0, 1, 0],
          [1, 0, 0, 0],
        ],
        "and nothing counts as ready",
      );
      equal((await backend.readCache([entry.key]))[0]?.value, entry.value, "what expires is there");

      now = at;
      const after = (await backend.stats()).queues;
      const moved = after.filter(
        ({ ready, leased, waiting, blocked }) => ready !== 1 || leased + waiting + blocked > 0,
      );
      equal(moved, [], "at it, everything counts as ready, and as nothing else");
      const oldest = after.map(({ oldestReadyAt }) => oldestReadyAt);
      equal(oldest, [at, at, at, begin], "since its time");
      equal(await backend.readCache([entry.key]), [undefined], "what expires is gone");
      status((await backend.writeCache([{ ...entry, value: '"new"' }]))[0], "written", "and makes room");
      const byId = await t.worker(backend).take({ taskIds: [held.claim.taskId] });
      equal(byId.claim.epoch, 2, "a lease has ended");
      const { tasks } = await t.worker(backend).claim(request);
      equal(tasks.length, 2, "a timer is due, and a block has ended");
      const task = await t.worker(backend).take({ queues: [], overdue: true });
      contains(task, { onlyTimeOut: true }, "a deadline has come");
      const close = { status: "failed", failure: '"timed out"' } as const;
      status(await t.worker(backend).commit(t.make.final(task, { close })), "ok", "the run ends");

      const purge = async (): Promise<number> =>
        (await backend.purgeRuns({ closedBefore: begin + 501, minAgeMs: 50, limit: 10 })).purged;
      now = begin + 549;
      equal(await purge(), 0, "a run is not old enough");
      now = begin + 550;
      equal(await purge(), 1, "and then it is");
    },
  },
  {
    id: "timer.fires-once",
    level: "L1",
    invariants: ["I8", "I10"],
    why: "A timer that came due is one claim, not one for each worker.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const wakeAt = (await t.time.now()) + t.time.short;
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      await t.time.until(wakeAt);
      const claims = await Promise.all(Array.from({ length: 6 }, () => t.worker().claim()));
      equal(claims.flatMap(({ tasks }) => tasks).length, 1, "one worker gets it");
    },
  },
  {
    id: "timer.due-while-nobody-was-up",
    level: "L1",
    invariants: ["I10", "I11"],
    why: "A timer that fell due during an outage fires with the first claim after it.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const wakeAt = (await t.time.now()) + 50;
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      await t.time.until(wakeAt + 300);
      equal((await t.worker(await t.open()).take()).claim.runId, task.claim.runId, "a client that came later gets it");
    },
  },
  {
    id: "timer.year-9999",
    level: "L1",
    invariants: ["I10"],
    why: "Times beyond 2³¹ seconds and delays beyond 2³¹ milliseconds are times like any other.",
    hint: "setTimeout fires at once for more than 2³¹ − 1 ms; 32-bit columns wrap.",
    async run(t) {
      const now = await t.time.now();
      const times = [253_402_300_799_999, 4_294_967_296_000, now + 30 * 86_400_000, now + 2_147_483_648];
      for (const wakeAt of times) {
        const { run, worker, task } = await heldRun(t);
        await park(t, worker, task, { next: { do: "park", wakeAt } });
        equal((await t.backend.getRun(run.runId))?.task?.readyAt, wakeAt, "the time comes back to the millisecond");
        const result = await worker.claim();
        equal(result.tasks, [], "it is not due");
        equal(result.nextReadyAt, t.time.claimableAt(wakeAt), "and it is the earliest so far");
      }
      const { run, worker, task } = await heldRun(t);
      await park(t, worker, task, { schedule: [t.make.activity(run, 2, { readyAt: 253_402_300_799_999 })] });
      equal((await worker.claim()).tasks, [], "activities, too");
    },
  },
  {
    id: "timer.many-due-at-once",
    level: "L1",
    invariants: ["I10", "I27"],
    why: "After an outage thousands of timers are due in the same moment; each fires once, none is forgotten.",
    timeoutMs: 120_000,
    async run(t) {
      const count = t.full ? 10_000 : 1_000;
      const wakeAt = (await t.time.now()) + (t.subject.advance === undefined ? 3_000 : 60_000);
      const { batch, claimTasks } = t.info.limits;
      for (let made = 0; made < count; made += batch) {
        await t.backend.createRuns(t.make.runs(Math.min(batch, count - made), { readyAt: wakeAt }));
      }
      await t.time.until(wakeAt);
      const seen: string[] = [];
      for (;;) {
        const { tasks } = await t.worker().claim({ limit: claimTasks });
        if (tasks.length === 0) break;
        seen.push(...tasks.map(({ claim }) => claim.runId));
      }
      unique(seen, "each is handed out once");
      equal(seen.length, count, "and none is forgotten");
    },
  },
  {
    id: "timer.message-before-its-time",
    level: "L1",
    invariants: ["I10", "I11"],
    why: "A run that sleeps and waits is woken by whichever comes first; the other is not lost.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const wakeAt = (await t.time.now()) + t.time.short;
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      await t.backend.deliver([t.make.message(run.runId)]);
      const woken = await worker.take();
      await park(t, worker, woken, { next: { do: "park", wakeAt } });
      const early = await worker.claim();
      if (early.now < wakeAt) equal(early.tasks, [], "with the message consumed it sleeps on");
      await t.time.until(wakeAt);
      if (early.tasks.length === 0) equal((await worker.take()).messages, [], "and the timer still fires");
    },
  },
  {
    id: "timer.of-a-dead-holder",
    level: "L1",
    invariants: ["I8", "I10", "I11"],
    why: "A worker that claims a due run and dies gives it back with the end of its lease.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const wakeAt = (await t.time.now()) + t.time.short;
      await park(t, worker, task, { next: { do: "park", wakeAt } });
      await t.time.until(wakeAt);
      const dead = await t.worker().take({ leaseMs: t.time.short });
      equal(
        (await worker.claim()).nextReadyAt,
        t.time.claimableAt(dead.leaseUntil),
        "others learn when it may be theirs",
      );
      await t.time.until(dead.leaseUntil);
      equal((await worker.take()).claim.epoch, 3, "and get it then");
    },
  },
];
