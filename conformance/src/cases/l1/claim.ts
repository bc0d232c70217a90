import { workflowTaskId } from "@perdure/core/storage";
import { check, contains, equal, status, throws, unique } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { heldRun, park, scheduledActivity } from "../../scenes.ts";
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
        equal(result.nextReadyAt, t.time.claimableAt(task.leaseUntil), "a worker learns when the lease ends");
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
    id: "claim.kinds-are-apart",
    level: "L1",
    invariants: ["I8", "I22"],
    why: "A workflow and an activity may have one name, on one queue: a worker that has code for one of them gets no other.",
    hint: "The kind belongs to the key of whatever tasks are found by, beside queue and name.",
    async run(t) {
      const handlers = { workflows: ["ship"], activities: ["ship"] };
      const { run, worker, task } = await heldRun(t, { workflow: "ship" }, 60_000, { handlers });
      await park(t, worker, task, { schedule: [t.make.activity(run, 2, { activity: "ship" })] });
      const next = await t.create({ workflow: "ship" });
      const requests = [
        { kinds: ["workflow"], handlers },
        { kinds: ["activity"], handlers },
        { handlers: { ...handlers, activities: [] } },
        { handlers: { ...handlers, workflows: [] } },
      ] as const;
      // Who has just come knows nothing of the queue, and others have it in mind.
      for (const backend of [t.backend, await t.open()]) {
        for (const [index, request] of requests.entries()) {
          const other = t.worker(backend);
          const { tasks, nextReadyAt } = await other.claim(request);
          equal(nextReadyAt, null, "there is nothing else for it");
          equal(
            tasks.map(({ kind, claim }) => [kind, claim.runId]),
            [index % 2 === 0 ? ["workflow", next.runId] : ["activity", run.runId]],
            "each is handed out as what it is",
          );
          const [given] = tasks as [(typeof tasks)[number]];
          await other.commit(
            given.kind === "workflow"
              ? t.make.turn(given, { next: { do: "park", wakeAt: 0 } })
              : t.make.outcome(given, { do: "release" }),
          );
        }
      }
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
