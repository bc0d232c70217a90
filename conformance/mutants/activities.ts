import type { ClaimedTask, CommitResult, TaskCommit } from "@perdure/core/storage";
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
];
