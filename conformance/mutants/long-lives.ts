import type { StoredEvent, TaskCommit, TaskId } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** Bugs that nobody sees who calls a verb once or twice: it takes a run that lives for a while, or many that live together. */
export const longLifeMutants: readonly Mutant[] = [
  mutant({
    name: "epochs-compared-as-text",
    breaks: "From its tenth claim on a run looks as if a newer one had been handed out: 10 comes before 9.",
    killedBy: ["replay.signal-wakes"],
    plant() {
      const newest = new Map<string, string>();
      return (honest, { namespace }) => ({
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          for (const { claim } of result.tasks) {
            const [name, epoch] = [`${namespace} ${claim.taskId}`, String(claim.epoch)];
            if (epoch > (newest.get(name) ?? "")) newest.set(name, epoch);
          }
          return result;
        },
        commitTasks: (commits, options) =>
          honest.commitTasks(
            commits.map((commit): TaskCommit => {
              const { claim } = commit;
              // Of one digit, text and numbers compare alike.
              const isStale = claim?.epoch > 9 && String(claim.epoch) < newest.get(`${namespace} ${claim.taskId}`)!;
              if (!isStale) return commit;
              return { ...commit, claim: { ...claim, epoch: claim.epoch - 1 } };
            }),
            options,
          ),
      });
    },
  }),
  mutant({
    name: "message-numbers-compared-as-text",
    breaks: "Once message 9 is acknowledged, message 10 seems to be too: it is never handed out.",
    killedBy: ["replay.signal-wakes"],
    plant: () => (honest) => ({
      async claimTasks(request) {
        const result = await honest.claimTasks(request);
        const tasks = result.tasks.map((task) => {
          if (task.kind !== "workflow") return task;
          return { ...task, messages: task.messages.filter(({ no }) => String(no) > String(task.inboxAcked)) };
        });
        return { ...result, tasks };
      },
    }),
  }),
  mutant({
    name: "state-of-the-first-in-a-batch",
    breaks: "Of the runs that one call commits, only the first has the fields of its row written.",
    killedBy: ["replay.state"],
    plant: () => (honest) => ({
      commitTasks: (commits, options) =>
        honest.commitTasks(
          commits.map((commit, index): TaskCommit => {
            if (index === 0 || commit.kind !== "workflow") return commit;
            const { run: _run, ...rest } = commit;
            return rest;
          }),
          options,
        ),
    }),
  }),
  mutant({
    name: "row-behind-while-held",
    breaks: "The fields of a run's row are written when its claim is given up, and not before.",
    killedBy: ["replay.turn-in-parts"],
    plant: () => (honest) => ({
      commitTasks: (commits, options) =>
        honest.commitTasks(
          commits.map((commit): TaskCommit => {
            if (commit.kind !== "workflow" || commit.next.do !== "hold") return commit;
            const { run: _run, ...rest } = commit;
            return rest;
          }),
          options,
        ),
    }),
  }),
  mutant({
    name: "born-without-state",
    breaks: "A run has a state from its first commit on, whatever it was created with.",
    killedBy: ["replay.child-of-an-ended-parent"],
    plant: () => (honest) => ({
      createRuns: (runs, options) =>
        honest.createRuns(
          runs.map((run) => ({ ...run, state: null })),
          options,
        ),
    }),
  }),
  mutant({
    name: "renewed-three-times",
    breaks: "A lease is renewed three times, as if nothing could take longer.",
    killedBy: ["lease.activity-outlives-it"],
    plant() {
      const renewals = new Map<string, number>();
      return (honest) => ({
        renewLeases: (claims, leaseMs) =>
          honest.renewLeases(
            claims.map((claim) => {
              const count = (renewals.get(`${claim.taskId} ${claim.epoch}`) ?? 0) + 1;
              renewals.set(`${claim.taskId} ${claim.epoch}`, count);
              return count > 3 ? { ...claim, epoch: claim.epoch - 1 } : claim;
            }),
            leaseMs,
          ),
      });
    },
  }),
  mutant({
    name: "inline-history-remembered",
    breaks: "The events that come with a claim are remembered from the first one that had any.",
    killedBy: ["replay.same-activity-twice", "replay.two-workers"],
    plant() {
      const remembered = new Map<TaskId, readonly StoredEvent[]>();
      return (honest) => ({
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task) => {
            if (task.kind !== "workflow" || task.events === null) return task;
            const events = remembered.get(task.claim.taskId) ?? task.events;
            remembered.set(task.claim.taskId, events);
            return { ...task, events };
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "reads-remembered",
    breaks: "Every page of a history that is read stays in memory.",
    killedBy: ["replay.ten-thousand-events"],
    plant() {
      const pages: unknown[] = [];
      return (honest) => ({
        async readEvents(reads) {
          const answer = await honest.readEvents(reads);
          pages.push(structuredClone(answer));
          return answer;
        },
      });
    },
  }),
  mutant({
    name: "base-not-stored",
    breaks:
      "A commit that continues as new leaves the run's base where it was: replay begins with the first generation.",
    killedBy: ["replay.continue-as-new"],
    plant: () => (honest) => ({
      commitTasks: (commits, options) =>
        honest.commitTasks(
          commits.map((commit): TaskCommit => {
            if (commit.kind !== "workflow" || commit.run?.baseSeq === undefined) return commit;
            const { baseSeq: _, ...run } = commit.run;
            return { ...commit, run };
          }),
          options,
        ),
    }),
  }),
  mutant({
    name: "earlier-generations-dropped",
    breaks: "Events before the last continue-as-new are not read any more.",
    killedBy: ["replay.continue-as-new-keeps-what-is-owed"],
    plant: () => (honest) => ({
      async readEvents(requests) {
        const pages = await honest.readEvents(requests);
        const runs = await Promise.all(requests.map(({ runId }) => honest.getRun(runId)));
        return pages.map((page, index) => {
          const base = runs[index]?.baseSeq ?? 0;
          return { ...page, events: page.events.filter(({ seq }) => seq > base) };
        });
      },
    }),
  }),
];
