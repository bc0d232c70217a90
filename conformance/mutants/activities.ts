import {
  activityTaskId,
  type ClaimedTask,
  type CommitResult,
  type NewActivityTask,
  parseTaskId,
  type TaskCommit,
} from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** Bugs that spare runs and hit what others execute for them. */
export const activityMutants: readonly Mutant[] = [
  mutant({
    name: "input-of-the-first-activity",
    breaks: "Activities that are handed out together all have the input of the first.",
    killedBy: ["replay.activity-on-another-queue"],
    plant: () => (honest) => ({
      async claimTasks(request) {
        const result = await honest.claimTasks(request);
        const input = result.tasks.find((task) => task.kind === "activity")?.task.input;
        const tasks = result.tasks.map((task): ClaimedTask => {
          return task.kind === "activity" ? { ...task, task: { ...task.task, input: input! } } : task;
        });
        return { ...result, tasks };
      },
    }),
  }),
  mutant({
    name: "deaths-of-activities-not-counted",
    breaks: "Hand-outs of activities are not counted: one that kills its worker kills them all.",
    killedBy: ["claim.deliveries-of-activities", "replay.activity-task-kills-its-worker"],
    plant: () => (honest) => ({
      async claimTasks(request) {
        const result = await honest.claimTasks(request);
        const tasks = result.tasks.map((task) => (task.kind === "activity" ? { ...task, deliveries: 1 } : task));
        return { ...result, tasks };
      },
    }),
  }),
  mutant({
    name: "one-outcome-in-a-batch",
    breaks: "Of the outcomes that one call commits for one run, all but the first are acknowledged and dropped.",
    killedBy: ["inbox.hundred-outcomes-in-one-batch"],
    plant: () => (honest) => ({
      async commitTasks(commits) {
        const told = new Set<string>();
        const kept = commits.filter((commit) => {
          const isOutcome = commit.kind === "activity" && commit.next.do === "complete";
          return !isOutcome || told.size < told.add(commit.claim.runId).size;
        });
        const answers = await honest.commitTasks(kept);
        const byCommit = new Map<TaskCommit, CommitResult>(kept.map((commit, index) => [commit, answers[index]!]));
        return commits.map((commit) => byCommit.get(commit) ?? answers[0]!);
      },
    }),
  }),
  mutant({
    name: "scheduled-again-replaced",
    breaks: "An activity task that is there already is replaced by one that has its id.",
    killedBy: ["commit.schedule-again"],
    plant() {
      const inputs = new Map<string, string>();
      return (honest) => ({
        commitTasks(commits) {
          for (const commit of commits) {
            if (commit.kind === "activity") continue;
            for (const { taskId, input } of commit.schedule ?? []) inputs.set(taskId, input);
          }
          return honest.commitTasks(commits);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task): ClaimedTask => {
            if (task.kind === "workflow") return task;
            return { ...task, task: { ...task.task, input: inputs.get(task.claim.taskId) ?? task.task.input } };
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "completed-activities-forgotten",
    breaks: "An activity that is scheduled again after its end is executed again.",
    killedBy: ["commit.schedule-again"],
    plant() {
      const completed = new Set<string>();
      return (honest) => ({
        commitTasks(commits) {
          const anew = commits.map((commit): TaskCommit => {
            if (commit.kind === "workflow") {
              const schedule = commit.schedule?.map((task): NewActivityTask => {
                if (!completed.has(task.taskId)) return task;
                const { runId, incarnation, seq } = parseTaskId(task.taskId)!;
                return { ...task, taskId: activityTaskId(runId, incarnation, seq + 1_000) };
              });
              return { ...commit, ...(schedule && { schedule }) };
            }
            if (commit.next.do === "complete") completed.add(commit.claim.taskId);
            return commit;
          });
          return honest.commitTasks(anew);
        },
      });
    },
  }),
  mutant({
    name: "cancel-takes-any-task",
    breaks: "A turn deletes every task that it names, whosever it is.",
    killedBy: ["commit.cancel-of-others"],
    plant() {
      const gone = new Set<string>();
      return (honest) => ({
        commitTasks(commits) {
          for (const commit of commits) {
            if (commit.kind === "workflow") for (const taskId of commit.cancel ?? []) gone.add(taskId);
          }
          return honest.commitTasks(commits);
        },
        async renewLeases(claims, leaseMs) {
          const answers = await honest.renewLeases(claims, leaseMs);
          return answers.map((answer, index) => (gone.has(claims[index]!.taskId) ? { status: "lost" } : answer));
        },
      });
    },
  }),
];
