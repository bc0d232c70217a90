import {
  type ActivityCommit,
  type Claim,
  type StorageBackend,
  type TaskCommit,
  workflowTaskId,
} from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** The claim with whatever epoch the store takes: as if nobody compared epochs. */
async function withAnyEpoch<A extends { readonly status: string }>(
  claim: Claim,
  attempt: (claim: Claim) => Promise<A>,
): Promise<A> {
  let answer = await attempt(claim);
  for (let epoch = claim.epoch + 1; epoch < claim.epoch + 4; epoch++) {
    if (answer.status !== "lost" && answer.status !== "lease-lost") break;
    answer = await attempt({ ...claim, epoch });
  }
  return answer;
}

/** Commits that `selects` picks are not fenced. */
function unfenced(honest: StorageBackend, selects: (commit: TaskCommit) => boolean): Partial<StorageBackend> {
  return {
    commitTasks: (commits) =>
      Promise.all(
        commits.map(async (commit) => {
          const send = async (claim: Claim): Promise<Awaited<ReturnType<typeof honest.commitTasks>>[number]> =>
            (await honest.commitTasks([{ ...commit, claim }]))[0]!;
          return selects(commit) ? withAnyEpoch(commit.claim, send) : send(commit.claim);
        }),
      ),
  };
}

function endsActivity(how: ActivityCommit["next"]["do"]): (commit: TaskCommit) => boolean {
  return ({ kind, next }) => kind === "activity" && next.do === how;
}

export const fenceMutants: readonly Mutant[] = [
  mutant({
    name: "renewal-not-fenced",
    breaks: "A renewal is accepted under any epoch.",
    killedBy: ["fence.stale-renewal", "fence.own-old-renewal", "fence.stale-activity-renewal"],
    plant: () => (honest) => ({
      renewLeases: (claims, leaseMs) =>
        Promise.all(
          claims.map((claim) => withAnyEpoch(claim, async (any) => (await honest.renewLeases([any], leaseMs))[0]!)),
        ),
    }),
  }),
  mutant({
    name: "commit-not-fenced",
    breaks: "A turn is accepted under any epoch.",
    killedBy: [
      "fence.stale-hold",
      "fence.stale-park",
      "fence.stale-block",
      "fence.stale-close",
      "fence.stale-done",
      "model.simulation",
    ],
    plant: () => (honest) => unfenced(honest, ({ kind }) => kind === "workflow"),
  }),
  mutant({
    name: "completion-not-fenced",
    breaks: "An activity's outcome is accepted under any epoch.",
    killedBy: ["fence.stale-activity-complete"],
    plant: () => (honest) => unfenced(honest, endsActivity("complete")),
  }),
  mutant({
    name: "retry-not-fenced",
    breaks: "An activity is rescheduled under any epoch.",
    killedBy: ["fence.stale-activity-retry", "fence.own-old-activity-retry"],
    plant: () => (honest) => unfenced(honest, endsActivity("retry")),
  }),
  mutant({
    name: "release-not-fenced",
    breaks: "An activity is released under any epoch.",
    killedBy: ["fence.stale-activity-release"],
    plant: () => (honest) => unfenced(honest, endsActivity("release")),
  }),
  mutant({
    name: "checkpoint-not-fenced",
    breaks: "A cache entry is written whether or not its owner owns its task.",
    killedBy: ["fence.stale-checkpoint", "fence.stale-activity-checkpoint", "cache.owned-by-a-claim"],
    plant: () => (honest) => ({
      writeCache: (entries) => honest.writeCache(entries.map(({ owner: _owner, ...entry }) => entry)),
    }),
  }),
  mutant({
    name: "epoch-is-the-worker",
    breaks: "The fencing token is the worker's id: its own old claim is as good as its new one.",
    killedBy: ["fence.own-old-hold", "fence.own-old-renewal"],
    plant() {
      const newest = new Map<string, { readonly worker: number; readonly epoch: number }>();
      const workers = new Map<string, number>();
      const real = (claim: Claim): Claim => {
        const known = newest.get(claim.taskId);
        return known?.worker === claim.epoch ? { ...claim, epoch: known.epoch } : { ...claim, epoch: 999_999 };
      };
      return (honest) => ({
        async claimTasks(request) {
          const worker = workers.get(request.workerInstance) ?? workers.size + 1;
          workers.set(request.workerInstance, worker);
          const result = await honest.claimTasks(request);
          for (const { claim } of result.tasks) newest.set(claim.taskId, { worker, epoch: claim.epoch });
          const tasks = result.tasks.map((task) => ({ ...task, claim: { ...task.claim, epoch: worker } }));
          return { ...result, tasks };
        },
        renewLeases: (claims, leaseMs) => honest.renewLeases(claims.map(real), leaseMs),
        commitTasks: (commits) =>
          honest.commitTasks(commits.map((commit) => ({ ...commit, claim: real(commit.claim) }))),
      });
    },
  }),
  mutant({
    name: "fence-before-duplicate",
    breaks: "The epoch is compared before the commit id: a retried commit that was applied is told that it was not.",
    killedBy: ["commit.retried-after-another-claim", "commit.retried-after-done"],
    plant: () => (honest) => ({
      commitTasks: (commits) =>
        Promise.all(
          commits.map(async (commit) => {
            const task = (await honest.getRun(commit.claim.runId))?.task;
            const owns = task?.epoch === commit.claim.epoch && task.leaseUntil !== null;
            if (commit.kind === "workflow" && !owns) return { status: "lease-lost" } as const;
            return (await honest.commitTasks([commit]))[0]!;
          }),
        ),
    }),
  }),
  mutant({
    name: "renewal-after-park",
    breaks: "A claim that its holder gave up is renewed, as long as nobody else claimed the task.",
    killedBy: ["fence.after-own-park", "fence.after-own-block"],
    plant: () => (honest) => ({
      async renewLeases(claims, leaseMs) {
        const answers = await honest.renewLeases(claims, leaseMs);
        const now = await honest.now();
        return Promise.all(
          answers.map(async (answer, index) => {
            const { runId, epoch } = claims[index]!;
            if (answer.status === "held" || (await honest.getRun(runId))?.task?.epoch !== epoch) return answer;
            return { status: "held", now, leaseUntil: now + leaseMs, inboxLast: 0, messages: [] } as const;
          }),
        );
      },
    }),
  }),
  mutant({
    name: "incarnation-ignored",
    breaks: "A claim is judged by run id and epoch: a zombie of a purged run owns the new run with its id.",
    killedBy: ["fence.zombie-of-a-recreated-run", "ids.incarnations"],
    plant: () => (honest) => {
      const current = async (claim: Claim): Promise<Claim> => {
        const run = await honest.getRun(claim.runId);
        if (run === undefined || !claim.taskId.startsWith(`${claim.incarnation}:`)) return claim;
        return { ...claim, incarnation: run.incarnation, taskId: workflowTaskId(run.runId, run.incarnation) };
      };
      return {
        renewLeases: async (claims, leaseMs) => honest.renewLeases(await Promise.all(claims.map(current)), leaseMs),
        commitTasks: async (commits) =>
          honest.commitTasks(
            await Promise.all(commits.map(async (commit) => ({ ...commit, claim: await current(commit.claim) }))),
          ),
      };
    },
  }),
  mutant({
    name: "outcome-before-the-fence",
    breaks:
      "The outcome is posted in one write and the task removed in another: a refused one was posted all the same.",
    killedBy: ["fence.stale-activity-complete", "commit.cancel"],
    plant: () => (honest) => ({
      async commitTasks(commits) {
        for (const { next } of commits) if (next.do === "complete") await honest.deliver([next.message]);
        return honest.commitTasks(commits);
      },
    }),
  }),
];
