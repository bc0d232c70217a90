import { workflowTaskId } from "@perdure/core/storage";
import { check, contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park, parkedRun } from "../../scenes.ts";

/** Stores may answer who asks for runs alone in a way of its own. */
const KINDS = [["workflow"], ["workflow", "activity"]] as const;

export const claimTimeCases: readonly ConformanceCase[] = [
  {
    id: "claim.next-ready-at",
    level: "L1",
    invariants: ["I10", "I28"],
    why: "An idle worker sleeps until this moment: too late is a late timer, too early a busy loop.",
    hint: "The least of: ready tasks left over, times of parked tasks, ends of leases — of what this request could claim.",
    async run(t) {
      equal((await t.worker().claim()).nextReadyAt, null, "an empty store has nothing to wait for");
      const now = await t.time.now();
      await t.create({ runId: "later", readyAt: now + 900_000 });
      await t.create({ runId: "elsewhere", readyAt: now + 100_000, queue: "other" });
      await t.create({ runId: "unknown", readyAt: now + 200_000, workflow: "unknown" });
      equal(
        (await t.worker().claim()).nextReadyAt,
        t.time.claimableAt(now + 900_000),
        "only tasks that this worker could claim count",
      );
      await t.create({ runId: "sooner", readyAt: now + 800_000 });
      equal((await t.worker().claim()).nextReadyAt, t.time.claimableAt(now + 800_000), "the earliest of them");
      const { worker, task } = await heldRun(t, { runId: "held" }, 600_000);
      equal(
        (await t.worker().claim()).nextReadyAt,
        t.time.claimableAt(task.leaseUntil),
        "the end of a lease of another worker counts",
      );
      await park(t, worker, task, { next: { do: "park", wakeAt: now + 700_000 } });
      equal(
        (await t.worker().claim()).nextReadyAt,
        t.time.claimableAt(now + 700_000),
        "the time of a parked run counts",
      );
      equal((await t.worker().claim({ kinds: ["activity"] })).nextReadyAt, null, "kinds count");
    },
  },
  {
    id: "claim.next-ready-at-over-all",
    level: "L1",
    invariants: ["I10", "I28"],
    why: "A worker of many queues, names and kinds sleeps until the first of all of them, in whatever order they are looked at.",
    async run(t) {
      const now = await t.time.now();
      const { run, worker, task } = await heldRun(t, {}, 3_600_000);
      const schedule = [t.make.activity(run, 2, { readyAt: now + 300_000, queue: "b" })];
      await worker.commit(t.make.turn(task, { schedule, next: { do: "hold" } }));
      await t.create({ queue: "a", readyAt: now + 400_000 });
      await t.create({ queue: "b", workflow: "other", readyAt: now + 200_000 });
      await t.create({ queue: "c", readyAt: now + 100_000 });
      const request = { queues: ["a", "b"], handlers: { workflows: ["other", "order"], activities: ["charge"] } };
      const reversed = { queues: ["b", "a"], handlers: { workflows: ["order", "other"], activities: ["charge"] } };
      for (const one of [request, reversed]) {
        equal((await t.worker().claim(one)).nextReadyAt, t.time.claimableAt(now + 200_000), "the first of all");
        const activities = await t.worker().claim({ ...one, kinds: ["activity"] });
        equal(activities.nextReadyAt, t.time.claimableAt(now + 300_000), "the first activity");
        const orders = { ...one, handlers: { workflows: ["order"], activities: [] } };
        equal((await t.worker().claim(orders)).nextReadyAt, t.time.claimableAt(now + 400_000), "the first of a name");
      }
    },
  },
  {
    id: "claim.next-ready-at-beside-a-task",
    level: "L1",
    invariants: ["I10", "I28"],
    why: "A worker that got tasks, and has room for more, sleeps until the next one of those that it serves.",
    hint: "What was just handed out does not count, nor what others would get: on each queue, and by deadlines.",
    async run(t) {
      for (const kinds of KINDS) {
        const now = await t.time.now();
        const [a, b, c] = ["a", "b", "c"].map((name) => `${name}${kinds.length}`) as [string, string, string];
        const queues = [a, b];
        await t.create({ queue: c, readyAt: now - 2_000 });
        await t.create({ queue: c, readyAt: now + 100_000 });
        await t.create({ queue: b, readyAt: now + 500_000 });
        for (let round = 0; round < 2; round++) {
          await t.create({ queue: a, readyAt: now - 1_000 });
          await t.create({ queue: a, readyAt: now - 1_000 });
          const some = await t.worker().claim({ kinds, queues, limit: 1, leaseMs: 900_000 });
          equal(some.tasks.length, 1, "one of two is handed out");
          check(some.nextReadyAt !== null && some.nextReadyAt <= some.now, "the other is ready");
          const rest = await t.worker().claim({ kinds, queues, leaseMs: 900_000, overdue: true });
          equal(rest.tasks.length, 1, "the other is handed out");
          equal(rest.nextReadyAt, t.time.claimableAt(now + 500_000), "what comes next is on the other queue");
        }
        await t.create({ queue: a, readyAt: now + 400_000 });
        await t.create({ queue: a, readyAt: now - 1_000 });
        const { tasks, nextReadyAt } = await t.worker().claim({ kinds, queues, leaseMs: 900_000 });
        equal([tasks.length, nextReadyAt], [1, t.time.claimableAt(now + 400_000)], "or on its own");
        await t.create({ queue: a, readyAt: now - 1_000, deadlineAt: now + 50_000 });
        const late = await t.create({ queue: c, readyAt: now + 200_000, deadlineAt: now + 300_000 });
        const unwilling = await t.worker().claim({ kinds, queues: [b], leaseMs: 900_000 });
        equal(
          unwilling.nextReadyAt,
          t.time.claimableAt(now + 500_000),
          "a deadline is for those who take what is overdue",
        );
        const last = await t.worker().claim({ kinds, queues, leaseMs: 900_000, overdue: true });
        const deadline = t.time.claimableAt(now + 300_000);
        equal([last.tasks.length, last.nextReadyAt], [1, deadline], "or past its deadline, wherever it is");
        const taskIds = [workflowTaskId(late.runId, late.incarnation)];
        const ender = t.worker();
        await ender.commit(t.make.final(await ender.take({ taskIds })));
      }
    },
  },
  {
    id: "claim.next-ready-at-of-message-waiters",
    level: "L1",
    invariants: ["I28"],
    why: "A run that waits for a message only, or is blocked for good, gives no time: it must not keep workers awake.",
    async run(t) {
      await parkedRun(t);
      const second = await heldRun(t);
      await park(t, second.worker, second.task, { next: { do: "block", reason: '"poisoned"', until: null } });
      equal((await t.worker().claim()).nextReadyAt, null, "nothing becomes claimable without help");
    },
  },
  {
    id: "claim.next-ready-at-of-a-block",
    level: "L1",
    invariants: ["I10"],
    why: "A block that ends by time is something to wait for.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const until = (await t.time.now()) + t.time.short;
      await park(t, worker, task, { next: { do: "block", reason: '"unknown version"', until } });
      const early = await worker.claim();
      if (early.now < until) equal(early.tasks, [], "a blocked task is not claimable before its time");
      equal(early.nextReadyAt, t.time.claimableAt(until), "its end is the next moment");
      await t.time.until(until);
      const again = await worker.take();
      equal(again.blocked, '"unknown version"', "it comes back with its reason");
    },
  },
  {
    id: "claim.overdue",
    level: "L1",
    invariants: ["I9", "I10"],
    why: "A run past its deadline must end, even if no worker has code for it: anyone may time it out.",
    async run(t) {
      const deadlineAt = (await t.time.now()) + t.time.short;
      const run = await t.create({ workflow: "unknown", queue: "elsewhere", deadlineAt });
      const helpful = { overdue: true };
      const early = await t.worker().claim(helpful);
      if (early.now < deadlineAt) equal(early.tasks, [], "before its deadline it is nobody's");
      equal(early.nextReadyAt, t.time.claimableAt(deadlineAt), "its deadline is the next moment");
      await t.time.until(deadlineAt);
      await t.create({ workflow: "unknown" });
      await t.create({ queue: "elsewhere" });
      await t.create({ workflow: "unknown", deadlineAt: deadlineAt + 3_600_000 });
      equal((await t.worker().claim()).tasks, [], "without `overdue` it is still nobody's");
      const task = await t.worker().take(helpful);
      contains(task, { onlyTimeOut: true, closed: false }, "it is handed out to be timed out, and for nothing else");
      equal(task.claim.runId, run.runId, "it is that run");
      equal((await t.worker().claim(helpful)).tasks, [], "and to one worker only");
    },
  },
  {
    id: "claim.overdue-in-line",
    level: "L1",
    invariants: ["I9", "I27"],
    why: "Runs that are past their deadlines stand in the same line as all others: by ready time and priority, not by deadline.",
    hint: "The order of claiming is one, also of what is found by another index.",
    async run(t) {
      const base = await t.time.now();
      const overdue = { workflow: "unknown", queue: "elsewhere" };
      await t.create({ ...overdue, runId: "old", readyAt: base - 30_000, deadlineAt: base - 20_000 });
      await t.create({ ...overdue, runId: "high", readyAt: base - 10_000, deadlineAt: base - 1, priority: 5 });
      await t.create({ ...overdue, runId: "late", readyAt: base - 25_000, deadlineAt: base - 2 });
      await t.create({ runId: "known", readyAt: base - 28_000 });
      await t.create({ runId: "known and overdue", readyAt: base - 27_000, deadlineAt: base - 20_000 });
      const order: (readonly [string, boolean])[] = [];
      while (order.length < 5) {
        const task = await t.worker().take({ limit: 1, overdue: true });
        order.push([task.claim.runId, task.onlyTimeOut]);
      }
      const expected = [
        ["high", true],
        ["old", true],
        ["known", false],
        ["known and overdue", false],
        ["late", true],
      ];
      equal(order, expected, "each comes in its turn, once");
    },
  },
  {
    id: "claim.overdue-activities-are-not",
    level: "L1",
    invariants: ["I9", "I13"],
    why: "Only a run can be timed out. An activity of an overdue run needs a worker that has its code.",
    async run(t) {
      const { run, worker, task } = await heldRun(t, { deadlineAt: await t.time.now() });
      const schedule = [t.make.activity(run, 2, { activity: "unknown", queue: "elsewhere" })];
      await worker.commit(t.make.turn(task, { schedule, next: { do: "hold" } }));
      equal((await t.worker().claim({ overdue: true })).tasks, [], "the activity is not handed out");
    },
  },
  {
    id: "claim.overdue-parked",
    level: "L1",
    invariants: ["I9", "I10"],
    why: "A parked run's deadline comes while nobody who knows it is up.",
    async run(t) {
      const deadlineAt = (await t.time.now()) + t.time.short;
      const { worker, task } = await heldRun(t, { deadlineAt });
      await park(t, worker, task, { next: { do: "park", wakeAt: deadlineAt } });
      const handlers = { workflows: ["other"], activities: [] };
      const stranger = { queues: ["other"], kinds: ["activity"], handlers, overdue: true } as const;
      equal(
        (await t.worker().claim(stranger)).nextReadyAt,
        t.time.claimableAt(deadlineAt),
        "a willing worker learns when",
      );
      await t.time.until(deadlineAt);
      const overdue = await t.worker().take(stranger);
      contains(overdue, { onlyTimeOut: true }, "any worker that is willing gets it");
      const commit = t.make.final(overdue, { close: { status: "failed", failure: '"timed out"' } });
      status(await t.worker().commit(commit), "ok", "and can end it");
    },
  },
  {
    id: "claim.known-run-past-its-deadline",
    level: "L1",
    invariants: ["I9"],
    why: "A worker that has the code gets an overdue run like any other: it may do more than time it out.",
    async run(t) {
      const now = await t.time.now();
      await t.create({ deadlineAt: now - 1_000 });
      const task = await t.worker().take();
      contains(task, { onlyTimeOut: false }, "it is handed out as an ordinary task");
      equal(task.run.deadlineAt, now - 1_000, "with its deadline");
    },
  },
];
