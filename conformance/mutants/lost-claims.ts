import { setImmediate as turn } from "node:timers/promises";
import type { ClaimedTask, TaskId } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** About claims whose answer never arrived: what `holding` is for. */
export const lostClaimMutants: readonly Mutant[] = [
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
    name: "instance-is-the-worker",
    breaks: "Lost answers are known by the worker's name: a restarted worker robs its predecessor.",
    killedBy: ["claim.holding-is-per-start"],
    plant: () => (honest) => ({
      claimTasks: (request) => honest.claimTasks({ ...request, workerInstance: request.workerId }),
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
];
