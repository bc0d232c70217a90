import { workflowTaskId } from "@perdure/core/storage";
import { check, contains, equal, status, throws, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { doneRun, heldRun, park, scheduledActivity } from "../../scenes.ts";
import { history } from "../../snapshot.ts";

export const claimCases: readonly ConformanceCase[] = [
  {
    id: "claim.workflow-task",
    level: "L1",
    invariants: ["I4", "I8"],
    why: "A claim brings everything that a turn needs; what is missing costs a round trip, what is wrong a corrupt history.",
    async run(t) {
      const run = await t.create({ version: "2", state: '{"a":1}', parentClose: "abandon" });
      await t.backend.deliver(t.make.messages(2, run.runId));
      const before = await t.time.now();
      const worker = t.worker();
      const result = await worker.claim({ leaseMs: 30_000 });
      check(before <= result.now, "the answer has the storage's now");
      equal(result.tasks.length, 1, "the run's task is handed out");
      const task = result.tasks[0]!;
      const { readyAt: _r, started: _s, state: _t, attributes: _a, ...header } = run;
      contains(
        task,
        {
          kind: "workflow",
          claim: {
            taskId: workflowTaskId(run.runId, run.incarnation),
            runId: run.runId,
            incarnation: run.incarnation,
            epoch: 1,
          },
          leaseUntil: result.now + 30_000,
          lastSeq: 1,
          lastCommitId: null,
          deliveries: 1,
          closed: false,
          blocked: null,
          onlyTimeOut: false,
          inboxAcked: 0,
          events: await history(t.backend, run.runId),
        },
        "a first claim of a workflow task",
      );
      check(task.kind === "workflow", "it is a workflow task");
      contains(task.run, { ...header, baseSeq: 0 }, "the run's header travels");
      equal(
        task.messages.map(({ no }) => no),
        [1, 2],
        "the inbox travels",
      );
      contains(
        (await t.backend.getRun(run.runId))?.task,
        { epoch: 1, deliveries: 1, leaseUntil: task.leaseUntil, workerId: worker.id, readyAt: null },
        "everybody sees who holds it, and until when",
      );
    },
  },
  {
    id: "claim.activity-task",
    level: "L1",
    invariants: ["I8", "I12"],
    why: "An activity worker knows its task from the claim alone.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      const scheduled = t.make.activity(run, 2, { details: '{"policy":1}', attempt: 3, priority: 2 });
      const before = await t.time.now();
      await park(t, worker, task, { schedule: [scheduled] });
      const after = await t.time.now();
      const result = await t.worker().claim({ leaseMs: 10_000 });
      const activity = result.tasks[0]!;
      check(activity.kind === "activity", "the activity task is handed out, and the parked run is not");
      const { readyAt: _, ...given } = scheduled;
      contains(
        activity,
        {
          claim: { taskId: scheduled.taskId, runId: run.runId, incarnation: run.incarnation, epoch: 1 },
          leaseUntil: result.now + 10_000,
          workflow: "order",
          task: given,
          deliveries: 1,
        },
        "a first claim of an activity task",
      );
      check(before <= activity.scheduledAt && activity.scheduledAt <= after, "scheduledAt is the storage's time");
    },
  },
  {
    id: "claim.not-twice",
    level: "L1",
    invariants: ["I8"],
    guards: ["leased-task-not-handed-out"],
    why: "Two workers on one run would write two histories.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      for (const other of [t.worker(), t.worker(await t.open()), worker]) {
        const result = await other.claim();
        equal(result.tasks, [], "a task under a live lease is not handed out");
        equal(result.nextReadyAt, task.leaseUntil, "a worker learns when the lease ends");
        t.guard("leased-task-not-handed-out");
      }
    },
  },
  {
    id: "claim.filters",
    level: "L1",
    invariants: ["I8", "I27"],
    why: "A worker gets only what it has code for, on the queues and of the kinds that it serves.",
    async run(t) {
      const run = await scheduledActivity(t);
      await t.create({ runId: "waits" });
      const nothing = [
        { queues: ["other"] },
        { queues: [] },
        { kinds: [] },
        { kinds: ["activity"] as const, handlers: { workflows: ["order"], activities: [] } },
        { kinds: ["workflow"] as const, handlers: { workflows: [], activities: ["charge"] } },
        { handlers: { workflows: ["charge"], activities: ["order"] } },
      ];
      for (const request of nothing) {
        const result = await t.worker().claim(request);
        equal(result.tasks, [], `nothing is handed out for ${JSON.stringify(request)}`);
        equal(result.nextReadyAt, null, "and nothing of it will ever be this worker's");
      }
      const both = await t.worker().claim({ queues: ["other", "main"] });
      equal(both.tasks.map((task) => task.claim.runId).toSorted(), [run.runId, "waits"].toSorted(), "else both are");
      equal(both.tasks.map((task) => task.kind).toSorted(), ["activity", "workflow"], "one of each kind");
    },
  },
  {
    id: "claim.limit",
    level: "L1",
    invariants: ["I8", "I29"],
    why: "A worker takes what it has slots for, and learns that more is ready.",
    async run(t) {
      const { claimTasks } = t.info.limits;
      for (let left = claimTasks + 5; left > 0;) {
        const count = Math.min(left, t.info.limits.batch);
        await t.backend.createRuns(t.make.runs(count));
        left -= count;
      }
      const few = await t.worker().claim({ limit: 3 });
      equal(few.tasks.length, 3, "at most limit tasks are handed out");
      check(few.nextReadyAt !== null && few.nextReadyAt <= few.now, "what the limit left is ready now");
      const most = await t.worker().claim({ limit: claimTasks + 100 });
      equal(most.tasks.length, claimTasks, "the declared limit caps it");
      const rest = await t.worker().claim({ limit: 10 });
      equal(rest.tasks.length, 2, "the rest follows");
      const all = [...few.tasks, ...most.tasks, ...rest.tasks].map((task) => task.claim.runId);
      unique(all, "each task is handed out once");
      await throws("invalid-argument", "a limit below one is refused", () => t.worker().claim({ limit: 0 }));
    },
  },
  {
    id: "claim.order",
    level: "L1",
    invariants: ["I27"],
    why: "Who waited longest is served first; a step of priority is worth ten seconds.",
    hint: "Order by readyAt − priority × 10 000, not by priority first: that starves.",
    async run(t) {
      const base = await t.time.now();
      const ages: readonly (readonly [id: string, age: number, priority: number])[] = [
        ["old and low", 95_000, -9],
        ["newest and high", 1_000, 9],
        ["older", 40_000, 0],
        ["old", 30_000, 0],
        ["high", 15_000, 2],
        ["low", 45_000, -2],
      ];
      for (const [runId, age, priority] of t.random.shuffle(ages)) {
        await t.create({ runId, priority, readyAt: base - age });
      }
      const worker = t.worker();
      const order = [];
      for (const _ of ages) order.push((await worker.take({ limit: 1 })).claim.runId);
      const rank = ([, age, priority]: (typeof ages)[number]): number => -age - priority * 10_000;
      const expected = ages.toSorted((a, b) => rank(a) - rank(b)).map(([id]) => id);
      equal(order, expected, "tasks come by ready time, less ten seconds for each step of priority");
    },
  },
  {
    id: "claim.order-within-one-answer",
    level: "L1",
    invariants: ["I27"],
    why: "A worker that takes many tasks starts them in the order of the answer.",
    async run(t) {
      const base = await t.time.now();
      const ids = Array.from({ length: 12 }, (_, index) => `run-${String(index).padStart(2, "0")}`);
      for (const runId of t.random.shuffle(ids)) {
        await t.create({ runId, readyAt: base - 20_000 + Number(runId.slice(4)) * 10 });
      }
      const { tasks } = await t.worker().claim({ limit: 12 });
      equal(
        tasks.map((task) => task.claim.runId),
        ids,
        "the answer is in the order of claiming",
      );
    },
  },
  {
    id: "claim.kinds-share-one-order",
    level: "L1",
    invariants: ["I27"],
    why: "Activities must not starve behind workflows, nor the other way round.",
    async run(t) {
      const base = await t.time.now();
      const { run, worker, task } = await heldRun(t, { runId: "parent" });
      await park(t, worker, task, {
        schedule: [
          t.make.activity(run, 2, { readyAt: base - 3_000 }),
          t.make.activity(run, 3, { readyAt: base - 1_000 }),
        ],
      });
      await t.create({ runId: "second", readyAt: base - 2_000 });
      const other = t.worker();
      const kinds = [];
      for (let index = 0; index < 3; index++) kinds.push((await other.claim({ limit: 1 })).tasks[0]?.kind);
      equal(kinds, ["activity", "workflow", "activity"], "one order for all");
    },
  },
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
      equal((await t.worker().claim()).nextReadyAt, now + 900_000, "only tasks that this worker could claim count");
      await t.create({ runId: "sooner", readyAt: now + 800_000 });
      equal((await t.worker().claim()).nextReadyAt, now + 800_000, "the earliest of them");
      const { worker, task } = await heldRun(t, { runId: "held" }, 600_000);
      equal((await t.worker().claim()).nextReadyAt, task.leaseUntil, "the end of a lease of another worker counts");
      await park(t, worker, task, { next: { do: "park", wakeAt: now + 700_000 } });
      equal((await t.worker().claim()).nextReadyAt, now + 700_000, "the time of a parked run counts");
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
        equal((await t.worker().claim(one)).nextReadyAt, now + 200_000, "the first of all");
        const activities = await t.worker().claim({ ...one, kinds: ["activity"] });
        equal(activities.nextReadyAt, now + 300_000, "the first activity");
        const orders = { ...one, handlers: { workflows: ["order"], activities: [] } };
        equal((await t.worker().claim(orders)).nextReadyAt, now + 400_000, "the first of a name");
      }
    },
  },
  {
    id: "claim.next-ready-at-of-message-waiters",
    level: "L1",
    invariants: ["I28"],
    why: "A run that waits for a message only, or is blocked for good, gives no time: it must not keep workers awake.",
    async run(t) {
      const first = await heldRun(t);
      await park(t, first.worker, first.task);
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
      equal(early.nextReadyAt, until, "its end is the next moment");
      await t.time.until(until);
      const again = await worker.take();
      equal(again.blocked, '"unknown version"', "it comes back with its reason");
    },
  },
  {
    id: "claim.by-id",
    level: "L1",
    invariants: ["I8", "I17"],
    why: "To terminate, unblock or repair one run, exactly it is claimed: whatever its queue, its name, its time or its block.",
    async run(t) {
      const now = await t.time.now();
      const sleeping = await t.create({ readyAt: now + 900_000, queue: "other", workflow: "unknown" });
      const blocked = await heldRun(t);
      await park(t, blocked.worker, blocked.task, { next: { do: "block", reason: '"why"', until: null } });
      await t.create({ runId: "bystander" });
      const taskIds = [sleeping, blocked.run].map((run) => workflowTaskId(run.runId, run.incarnation));
      const result = await t.worker().claim({ taskIds });
      const ids = result.tasks.map((task) => task.claim.runId);
      equal(ids.toSorted(), [sleeping.runId, blocked.run.runId].toSorted(), "exactly the named tasks are handed out");
      equal(result.nextReadyAt, null, "nextReadyAt is null");
      const task = result.tasks.find(({ claim }) => claim.runId === blocked.run.runId);
      equal(task?.kind === "workflow" && task.blocked, '"why"', "a blocked one comes with its reason");
    },
  },
  {
    id: "claim.by-id-respects-leases",
    level: "L1",
    invariants: ["I8"],
    guards: ["claim-by-id-of-leased-refused"],
    why: "Even an operator does not rob a live owner.",
    async run(t) {
      const { task } = await heldRun(t);
      const done = await doneRun(t);
      const taskIds = [task.claim.taskId, done.task.claim.taskId, workflowTaskId("nobody", "x".repeat(16))];
      equal((await t.worker().claim({ taskIds })).tasks, [], "leased, done and unknown tasks are not handed out");
      t.guard("claim-by-id-of-leased-refused");
    },
  },
  {
    id: "claim.by-id-of-a-dead-worker",
    level: "L1",
    invariants: ["I8", "I17"],
    why: "A run whose worker has died can be terminated as soon as its lease has ended.",
    async run(t) {
      const { task } = await heldRun(t, {}, t.time.short);
      await t.time.until(task.leaseUntil);
      const again = await t.worker().take({ taskIds: [task.claim.taskId], queues: [] });
      equal(again.claim.epoch, 2, "an expired lease does not protect the run");
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
      equal(early.nextReadyAt, deadlineAt, "its deadline is the next moment");
      await t.time.until(deadlineAt);
      equal((await t.worker().claim()).tasks, [], "without `overdue` it is still nobody's");
      const task = await t.worker().take(helpful);
      contains(task, { onlyTimeOut: true, closed: false }, "it is handed out to be timed out, and for nothing else");
      equal(task.claim.runId, run.runId, "it is that run");
      equal((await t.worker().claim(helpful)).tasks, [], "and to one worker only");
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
      const stranger = { queues: ["other"], handlers: { workflows: ["other"], activities: [] }, overdue: true };
      equal((await t.worker().claim(stranger)).nextReadyAt, deadlineAt, "a willing worker learns when");
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
  {
    id: "claim.epochs-count-acquisitions",
    level: "L1",
    invariants: ["I6"],
    why: "The epoch is the fencing token: each acquisition has its own, by whomever.",
    async run(t) {
      const run = await t.create();
      const worker = t.worker();
      for (let epoch = 1; epoch <= 5; epoch++) {
        const task = await worker.take();
        equal(task.claim.epoch, epoch, "each acquisition adds one");
        equal((await t.backend.getRun(run.runId))?.task?.epoch, epoch, "everybody sees it");
        await park(t, worker, task, { next: { do: "park", wakeAt: 0 } });
      }
    },
  },
  {
    id: "claim.closed-tasks-stay-claimable",
    level: "L1",
    invariants: ["I9", "I11"],
    why: "A worker that dies between the terminal event and telling the parent leaves duties: somebody must get them.",
    hint: "Closed is no filter of the claim; only `done` removes a task.",
    async run(t) {
      const { worker, task } = await heldRun(t);
      const closing = t.make.closing(task, { next: { do: "park", wakeAt: 0 } });
      status(await worker.commit(closing), "ok", "the run is closed");
      const again = await worker.take();
      contains(again, { closed: true, lastSeq: 2, lastCommitId: closing.commitId }, "the closed task is handed out");
      status(await worker.commit(t.make.turn(again, { events: [], next: { do: "done" } })), "ok", "and is done then");
      equal((await worker.claim()).tasks, [], "a done task is gone");
    },
  },
  {
    id: "claim.malformed",
    level: "L1",
    invariants: ["I29"],
    why: "A request that cannot work is refused before anything is claimed.",
    async run(t) {
      await t.create();
      const worker = t.worker();
      const malformed = [
        { leaseMs: 0 },
        { leaseMs: 1.5 },
        { leaseMs: Number.NaN },
        { limit: -1 },
        { workerInstance: "" },
        { workerId: "x".repeat(256) },
        { inlineEvents: -1 },
        { queues: [""] },
        { handlers: { workflows: ["\0"], activities: [] } },
      ];
      for (const request of malformed) {
        const what = `${Object.keys(request)[0]} is checked`;
        await throws("invalid-argument", what, () => worker.backend.claimTasks(worker.request(request)));
      }
      const { claim } = await worker.take();
      equal(claim.epoch, 1, "a refused request claims nothing");
      for (const leaseMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await throws("invalid-argument", "a renewal's lease is checked", () => t.backend.renewLeases([claim], leaseMs));
      }
    },
  },
];
