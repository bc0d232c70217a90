import { setImmediate as turn } from "node:timers/promises";
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
    name: "lost-claims-stay-lost",
    breaks: "`holding` is ignored: tasks of a lost answer sleep for a whole lease.",
    killedBy: ["claim.lost-reply", "claim.lost-reply-of-many"],
    plant() {
      const everything = new Set<TaskId>();
      return (honest) => ({
        async claimTasks(request) {
          const result = await honest.claimTasks({ ...request, holding: [...everything] });
          for (const { claim } of result.tasks) everything.add(claim.taskId);
          return result;
        },
      });
    },
  }),
  mutant({
    name: "claims-remembered-for-ever",
    breaks: "Whatever an instance ever claimed and does not name is handed to it again, whoever has it now.",
    killedBy: ["claim.lost-reply-taken-over", "claim.given-back-is-not-lost"],
    plant() {
      const claimed = new Map<string, ClaimedTask>();
      return (honest) => ({
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          for (const task of result.tasks) claimed.set(`${request.workerInstance} ${task.claim.taskId}`, task);
          const lost = [...claimed].filter(([key, { claim }]) => {
            const own = key.startsWith(`${request.workerInstance} `) && !request.holding.includes(claim.taskId);
            return own && !result.tasks.some((task) => task.claim.taskId === claim.taskId);
          });
          return { ...result, tasks: [...result.tasks, ...lost.map(([, task]) => task)] };
        },
      });
    },
  }),
  mutant({
    name: "lost-claims-looked-up-too-early",
    breaks:
      "Which claims of an instance were lost is looked up first, and what others claim meanwhile is handed to it all the same.",
    killedBy: ["claim.lost-reply-against-claim-at-the-end"],
    plant() {
      const leased = new Map<string, { readonly instance: string; readonly task: ClaimedTask }>();
      return (honest) => ({
        async claimTasks(request) {
          const { workerInstance: instance, holding } = request;
          const lost = [...leased.values()].filter((one) => {
            return one.instance === instance && !holding.includes(one.task.claim.taskId);
          });
          if (lost.length > 0) await turn();
          const result = await honest.claimTasks(request);
          for (const task of result.tasks) leased.set(task.claim.taskId, { instance, task });
          const robbed = lost.filter(({ task }) => leased.get(task.claim.taskId)?.instance !== instance);
          return { ...result, tasks: [...result.tasks, ...robbed.map(({ task }) => task)] };
        },
      });
    },
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
    name: "instance-is-the-worker",
    breaks: "Lost answers are known by the worker's name: a restarted worker robs its predecessor.",
    killedBy: ["claim.holding-is-per-start"],
    plant: () => (honest) => ({
      claimTasks: (request) => honest.claimTasks({ ...request, workerInstance: request.workerId }),
    }),
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
    name: "lost-claims-in-the-line",
    breaks: "What a lost answer handed out comes again after all others.",
    killedBy: ["claim.lost-reply-comes-first"],
    plant() {
      const everything = new Set<TaskId>();
      return (honest) => ({
        async claimTasks(request) {
          const first = await honest.claimTasks({ ...request, holding: [...everything] });
          for (const { claim } of first.tasks) everything.add(claim.taskId);
          const limit = request.limit - first.tasks.length;
          if (limit === 0) return first;
          const holding = [...request.holding, ...first.tasks.map(({ claim }) => claim.taskId)];
          const rest = await honest.claimTasks({ ...request, limit, holding });
          return { ...rest, tasks: [...first.tasks, ...rest.tasks] };
        },
      });
    },
  }),
  mutant({
    name: "expired-lost-claims-count",
    breaks: "A lost answer whose lease has ended counts as a delivery.",
    killedBy: ["claim.lost-reply-and-expired"],
    plant() {
      const ends = new Map<TaskId, number>();
      return (honest) => ({
        async claimTasks(request) {
          const now = await honest.now();
          const expired = [...ends].flatMap(([taskId, leaseUntil]) => (leaseUntil <= now ? taskId : []));
          const result = await honest.claimTasks({ ...request, holding: [...request.holding, ...expired] });
          for (const { claim, leaseUntil } of result.tasks) ends.set(claim.taskId, leaseUntil);
          return result;
        },
      });
    },
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
