import type { ClaimResult, ClaimedTask, StorageBackend, TaskId } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** Each answer to a claim is changed before it is given. */
function claims(honest: StorageBackend, change: (result: ClaimResult) => ClaimResult): Partial<StorageBackend> {
  return { claimTasks: async (request) => change(await honest.claimTasks(request)) };
}

export const claimMutants: readonly Mutant[] = [
  mutant({
    name: "claim-not-exclusive",
    breaks: "Tasks are chosen in one step and leased in another: two workers get the same.",
    killedBy: ["claim.one-task-many-claimants", "claim.clients-times-tasks", "claim.activities-of-one-run"],
    plant() {
      let chosen: readonly ClaimedTask[] = [];
      return (honest) => ({
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          if (result.tasks.length > 0) chosen = result.tasks;
          const tasks = result.tasks.length > 0 ? result.tasks : chosen;
          setImmediate(() => (chosen = []));
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "claim-skips-closed",
    breaks: "Closed runs are not handed out: the duties after the end are nobody's.",
    killedBy: ["claim.closed-tasks-stay-claimable", "claim.closing-run-of-a-dead-worker"],
    plant: () => (honest) =>
      claims(honest, (result) => ({
        ...result,
        tasks: result.tasks.filter((task) => task.kind === "activity" || !task.closed),
      })),
  }),
  mutant({
    name: "next-ready-blind-to-leases",
    breaks: "nextReadyAt forgets leased tasks: an idle worker sleeps past the end of a dead one's lease.",
    killedBy: ["claim.idle-worker-beside-a-dead-one", "claim.next-ready-at"],
    plant() {
      const ends = new Set<number>();
      return (honest) =>
        claims(honest, (result) => {
          const blind = result.nextReadyAt !== null && ends.has(result.nextReadyAt);
          for (const { leaseUntil } of result.tasks) ends.add(leaseUntil);
          return blind ? { ...result, nextReadyAt: null } : result;
        });
    },
  }),
  mutant({
    name: "next-ready-blind-to-the-limit",
    breaks: "nextReadyAt forgets ready tasks that the limit left.",
    killedBy: ["claim.limit"],
    plant: () => (honest) =>
      claims(honest, (result) =>
        result.nextReadyAt !== null && result.nextReadyAt <= result.now ? { ...result, nextReadyAt: null } : result,
      ),
  }),
  mutant({
    name: "overdue-takes-everything",
    breaks: "A worker that helps with overdue runs is handed every run that nobody knows.",
    killedBy: ["claim.overdue", "claim.lost-reply-of-what-is-not-wanted"],
    plant() {
      const known = { queues: new Set<string>(), workflows: new Set<string>() };
      return (honest) => ({
        createRuns(runs) {
          for (const { queue, workflow } of runs) {
            known.queues.add(queue);
            known.workflows.add(workflow);
          }
          return honest.createRuns(runs);
        },
        claimTasks(request) {
          if (!request.overdue) return honest.claimTasks(request);
          const handlers = { ...request.handlers, workflows: [...known.workflows] };
          return honest.claimTasks({ ...request, queues: [...known.queues], handlers });
        },
      });
    },
  }),
  mutant({
    name: "deliveries-never-reset",
    breaks: "Every hand-out counts for ever: a busy run looks poisoned.",
    killedBy: ["commit.delivery-count", "claim.deliveries-count-deaths"],
    plant: () => (honest) =>
      claims(honest, (result) => ({
        ...result,
        tasks: result.tasks.map((task) => ({ ...task, deliveries: task.claim.epoch })),
      })),
  }),
  mutant({
    name: "priorities-ignored",
    breaks: "Tasks come by ready time alone.",
    killedBy: ["claim.order"],
    plant: () => (honest) => ({
      createRuns: (runs) => honest.createRuns(runs.map((run) => ({ ...run, priority: 0 }))),
    }),
  }),
  mutant({
    name: "priority-first",
    breaks: "A step of priority outweighs any waiting: the unimportant starve.",
    killedBy: ["claim.old-and-low-is-not-starved", "claim.order"],
    plant: () => (honest) => ({
      async createRuns(runs) {
        const now = await honest.now();
        return honest.createRuns(
          runs.map((run) => ({ ...run, readyAt: Math.max(0, (run.readyAt ?? now) - (run.priority + 9) * 3_600_000) })),
        );
      },
    }),
  }),
  mutant({
    name: "ready-at-ignored",
    breaks: "A run that is to start later is claimable at once.",
    killedBy: ["create.ready-later"],
    plant: () => (honest) => ({
      createRuns: (runs) => honest.createRuns(runs.map((run) => ({ ...run, readyAt: null }))),
    }),
  }),
  mutant({
    name: "overdue-ignored",
    breaks: "Runs past their deadline wait for a worker that knows them.",
    killedBy: ["claim.overdue", "claim.overdue-parked"],
    plant: () => (honest) => ({ claimTasks: (request) => honest.claimTasks({ ...request, overdue: false }) }),
  }),
  mutant({
    name: "claim-by-id-obeys-blocks",
    breaks: "A claim by id finds only what an ordinary claim would.",
    killedBy: ["claim.by-id", "claim.blocked-by-id"],
    plant: () => (honest) => ({
      claimTasks: ({ taskIds: _taskIds, ...request }) => honest.claimTasks(request),
    }),
  }),
  mutant({
    name: "kinds-ignored",
    breaks: "A worker for activities is handed workflows, too.",
    killedBy: ["claim.filters", "claim.next-ready-at"],
    plant: () => (honest) => ({
      claimTasks: (request) => honest.claimTasks({ ...request, kinds: ["workflow", "activity"] }),
    }),
  }),
  mutant({
    name: "lease-by-the-client's-clock",
    breaks: "A client's own clock says whether a lease is live.",
    killedBy: ["lease.clients-with-wrong-clocks", "timer.clients-with-wrong-clocks"],
    plant:
      () =>
      (honest, { clientClock, storeClock }) => ({
        claimTasks(request) {
          const skew = Math.round((clientClock.now() - Date.now()) / 1_000) * 1_000;
          if (skew > 0) storeClock.advance(skew);
          return honest.claimTasks(request);
        },
      }),
  }),
  mutant({
    name: "clock-goes-back",
    breaks: "The store follows its machine's clock when that is set back.",
    killedBy: ["timer.clock-set-back"],
    plant:
      () =>
      (honest, { storeClock }) => ({
        now: async () => storeClock.now(),
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const now = storeClock.now();
          return { ...result, now, tasks: result.now > now ? [] : result.tasks };
        },
      }),
  }),
  mutant({
    name: "overdue-for-workers-of-workflows",
    breaks: "A worker that executes only activities gets no run that is overdue.",
    killedBy: ["claim.overdue-parked"],
    plant: () => (honest) => ({
      claimTasks: (request) =>
        honest.claimTasks({ ...request, overdue: request.overdue && request.kinds.includes("workflow") }),
    }),
  }),
  mutant({
    name: "overdue-without-priority",
    breaks: "Runs with a deadline stand in line without their priority.",
    killedBy: ["claim.overdue-in-line"],
    plant: () => (honest) => ({
      createRuns: (runs) =>
        honest.createRuns(runs.map((run) => (run.deadlineAt === null ? run : { ...run, priority: 0 }))),
    }),
  }),
  mutant({
    name: "claim-by-id-names-a-time",
    breaks: "Who claims by id and gets nothing is told when to come back.",
    killedBy: ["claim.by-id-respects-leases"],
    plant: () => (honest) =>
      claims(honest, (result) => ({ ...result, nextReadyAt: result.nextReadyAt ?? result.now + 1 })),
  }),
  mutant({
    name: "leases-do-not-move-the-line",
    breaks: "A dead worker's run stands in line from when it was created.",
    killedBy: ["claim.order-after-a-lease"],
    plant: () => (honest) =>
      claims(honest, (result) => {
        const age = (task: ClaimedTask): number => (task.kind === "workflow" ? task.run.createdAt : task.scheduledAt);
        return { ...result, tasks: result.tasks.toSorted((a, b) => age(a) - age(b)) };
      }),
  }),
  mutant({
    name: "unblock-takes-from-the-holder",
    breaks: "Lifting a block ends the claim of whoever holds the run.",
    killedBy: ["claim.unblock-of-a-held-block"],
    plant() {
      const taken = new Set<TaskId>();
      return (honest) => ({
        async unblockTasks(taskIds) {
          const answers = await honest.unblockTasks(taskIds);
          for (const [index, { status }] of answers.entries()) if (status === "unblocked") taken.add(taskIds[index]!);
          return answers;
        },
        async renewLeases(leases, leaseMs) {
          const answers = await honest.renewLeases(leases, leaseMs);
          return answers.map((answer, index) => (taken.has(leases[index]!.taskId) ? { status: "lost" } : answer));
        },
      });
    },
  }),
];
