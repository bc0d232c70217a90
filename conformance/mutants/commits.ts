import type { CommitResult, StorageBackend, TaskCommit, WorkflowCommit } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** Each turn is changed before it is applied; activity commits are left alone. */
function turns(
  honest: StorageBackend,
  change: (commit: WorkflowCommit) => WorkflowCommit | Promise<WorkflowCommit>,
): Partial<StorageBackend> {
  const changed = async (commit: TaskCommit): Promise<TaskCommit> =>
    commit.kind === "workflow" ? change(commit) : commit;
  return {
    commitTasks: async (commits) => honest.commitTasks(await Promise.all(commits.map(changed))),
  };
}

/** Each answer is changed before it is given. */
function answers(
  honest: StorageBackend,
  change: (answer: CommitResult, commit: TaskCommit) => CommitResult | Promise<CommitResult>,
): Partial<StorageBackend> {
  return {
    async commitTasks(commits) {
      const given = await honest.commitTasks(commits);
      return Promise.all(given.map(async (answer, index) => change(answer, commits[index]!)));
    },
  };
}

let fresh = 0;

export const commitMutants: readonly Mutant[] = [
  mutant({
    name: "batch-sorted-in-place",
    breaks: "To lock runs in one order, the caller's own list of commits is sorted.",
    killedBy: ["payload.arguments-left-alone"],
    plant: () => (honest) => ({
      commitTasks(commits) {
        // oxlint-disable-next-line unicorn/no-array-sort -- that is the bug
        const sorted = (commits as TaskCommit[]).sort((a, b) => (a.claim.runId < b.claim.runId ? -1 : 1));
        return honest.commitTasks(sorted);
      },
    }),
  }),
  mutant({
    name: "commits-at-no-time",
    breaks: "The answer to a commit does not say when it was applied.",
    killedBy: ["commit.answers-with-the-time"],
    plant: () => (honest) => ({
      async commitTasks(commits) {
        const told = await honest.commitTasks(commits);
        return told.map((answer) => ("now" in answer ? { ...answer, now: 0 } : answer));
      },
    }),
  }),
  mutant({
    name: "expected-seq-ignored",
    breaks: "A turn is appended to whatever head there is.",
    killedBy: ["commit.conflict", "commit.retried-after-own-next"],
    plant: () => (honest) =>
      turns(honest, async (commit) => {
        const run = await honest.getRun(commit.claim.runId);
        return run?.lastCommitId === commit.commitId ? commit : { ...commit, expectedSeq: run?.lastSeq ?? 1 };
      }),
  }),
  mutant({
    name: "duplicate-applied-twice",
    breaks: "Nobody remembers commit ids: a repeated commit is applied again.",
    killedBy: ["commit.lost-reply-hold", "commit.lost-reply-done", "commit.sent-twice-at-once"],
    plant: () => (honest) =>
      turns(honest, async (commit) => {
        const run = await honest.getRun(commit.claim.runId);
        return { ...commit, commitId: `fresh-${fresh++}`, expectedSeq: run?.lastSeq ?? 1 };
      }),
  }),
  mutant({
    name: "duplicate-that-fits-applied",
    breaks: "A commit under the last one's id is applied if nothing else is wrong with it.",
    killedBy: ["commit.order-of-checks"],
    plant: () => (honest) =>
      turns(honest, async (commit) => {
        const run = await honest.getRun(commit.claim.runId);
        const fits = run?.lastCommitId === commit.commitId && run.lastSeq === commit.expectedSeq;
        return fits ? { ...commit, commitId: `fresh-${fresh++}` } : commit;
      }),
  }),
  mutant({
    name: "commit-id-from-the-head",
    breaks: "A commit is known by the head that it was computed from: another one at that head is taken for it.",
    killedBy: ["commit.other-commit-at-the-same-head"],
    plant: () => (honest) => turns(honest, (commit) => ({ ...commit, commitId: `at-${commit.expectedSeq}` })),
  }),
  mutant({
    name: "reschedule-not-remembered",
    breaks: "Commit ids of activities are not kept: a repeated retry is told that its lease is lost.",
    killedBy: ["commit.lost-reply-activity-retry", "commit.lost-reply-activity-release"],
    plant: () => (honest) => ({
      commitTasks: (commits) =>
        honest.commitTasks(
          commits.map((commit) => (commit.kind === "activity" ? { ...commit, commitId: `fresh-${fresh++}` } : commit)),
        ),
    }),
  }),
  mutant({
    name: "history-ahead-of-the-row",
    breaks: "Events and the run row are two writes: the row still shows the head before.",
    killedBy: ["events.dense-and-in-order", "create.stores-everything"],
    plant: () => (honest) => ({
      async getRun(runId) {
        const run = await honest.getRun(runId);
        return run && { ...run, lastSeq: run.lastSeq - 1 };
      },
    }),
  }),
  mutant({
    name: "refusal-half-writes",
    breaks: "The events are written before the head is compared.",
    killedBy: ["commit.conflict", "commit.invalid-close-twice"],
    plant: () => (honest) =>
      answers(honest, async (answer, commit) => {
        if (commit.kind === "activity" || (answer.status !== "conflict" && answer.status !== "invalid")) return answer;
        const { lastSeq: expectedSeq = 1 } = (await honest.getRun(commit.claim.runId)) ?? {};
        const { schedule: _s, close: _c, run: _r, ...half } = commit;
        const events = [{ type: "HALF", command: null, at: 0, data: "1" }];
        await honest.commitTasks([
          { ...half, expectedSeq, events, ackInbox: 0, commitId: `half-${fresh++}`, next: { do: "hold" } },
        ]);
        return answer;
      }),
  }),
  mutant({
    name: "refusal-spoils-its-neighbours",
    breaks: "After a refused element the rest of the batch is not applied.",
    killedBy: ["commit.refused-neighbour", "commit.batch-of-many-runs"],
    plant: () => (honest) => ({
      async commitTasks(commits) {
        const given: CommitResult[] = [];
        for (const commit of commits) {
          const spoiled = given.some(({ status }) => status !== "ok" && status !== "duplicate");
          given.push(spoiled ? { status: "lease-lost" } : (await honest.commitTasks([commit]))[0]!);
        }
        return given;
      },
    }),
  }),
  mutant({
    name: "second-turn-in-batch-applied",
    breaks: "Two turns of one run in one batch are both applied.",
    killedBy: ["commit.second-in-batch"],
    plant: () => (honest) => ({
      async commitTasks(commits) {
        const given: CommitResult[] = [];
        for (const commit of commits) given.push((await honest.commitTasks([commit]))[0]!);
        return given;
      },
    }),
  }),
  mutant({
    name: "unread-before-conflict",
    breaks: "The checks stand in another order.",
    killedBy: ["commit.order-of-checks"],
    plant: () => (honest) =>
      answers(honest, async (answer, commit) => {
        const { unread = 0 } = (await honest.getRun(commit.claim.runId))?.task ?? {};
        const closes = commit.kind === "workflow" && commit.close !== undefined;
        return answer.status === "conflict" && closes && unread > 0 ? { status: "unread", messages: [] } : answer;
      }),
  }),
  mutant({
    name: "unread-close-allowed",
    breaks: "A run is closed over unread messages, which are lost without a trace.",
    killedBy: ["commit.unread", "inbox.moment-between-claim-and-end", "inbox.moment-of-the-end"],
    plant: () => (honest) =>
      turns(honest, (commit) =>
        commit.close === undefined ? commit : { ...commit, close: { ...commit.close, discardUnread: true } },
      ),
  }),
  mutant({
    name: "cancel-before-schedule",
    breaks: "In one commit, cancelling comes first: a task that is scheduled and cancelled at once stays.",
    killedBy: ["commit.schedule-and-cancel-at-once"],
    plant: () => (honest) =>
      turns(honest, (commit) => {
        const scheduled = new Set(commit.schedule?.map(({ taskId }) => taskId));
        return { ...commit, cancel: (commit.cancel ?? []).filter((taskId) => !scheduled.has(taskId)) };
      }),
  }),
  mutant({
    name: "claimed-activity-not-cancelled",
    breaks: "Cancelling spares activities that somebody holds.",
    killedBy: ["commit.cancel"],
    plant() {
      const held = new Set<string>();
      return (honest) => ({
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          for (const { claim } of result.tasks) held.add(claim.taskId);
          return result;
        },
        ...turns(honest, (commit) => ({ ...commit, cancel: (commit.cancel ?? []).filter((id) => !held.has(id)) })),
      });
    },
  }),
  mutant({
    name: "holding-extends-the-lease",
    breaks: "A commit that holds renews the lease: a worker that cannot renew any more looks alive.",
    killedBy: ["lease.holding-does-not-extend", "commit.hold"],
    plant: () => (honest) =>
      answers(honest, async (answer, { claim }) => {
        if (answer.status !== "ok" || !answer.held) return answer;
        const [renewed] = await honest.renewLeases([claim], 600_000);
        return renewed?.status === "held" ? { ...answer, leaseUntil: renewed.leaseUntil } : answer;
      }),
  }),
  mutant({
    name: "holder-blind-to-its-inbox",
    breaks: "Neither a commit nor a renewal brings messages.",
    killedBy: ["lease.renewal-brings-messages", "commit.hold", "inbox.moment-during-the-turn"],
    plant: () => (honest) => ({
      ...answers(honest, (answer) =>
        answer.status === "ok" || answer.status === "duplicate" ? { ...answer, messages: [] } : answer,
      ),
      async renewLeases(claims, leaseMs) {
        const given = await honest.renewLeases(claims, leaseMs);
        return given.map((answer) => (answer.status === "held" ? { ...answer, messages: [] } : answer));
      },
    }),
  }),
  mutant({
    name: "state-merged",
    breaks: "Attributes are merged into the old ones instead of replacing them.",
    killedBy: ["commit.run-fields"],
    plant: () => (honest) =>
      turns(honest, async (commit) => {
        if (commit.run?.attributes === undefined) return commit;
        const old = (await honest.getRun(commit.claim.runId))?.attributes;
        return { ...commit, run: { ...commit.run, attributes: { ...old, ...commit.run.attributes } } };
      }),
  }),
  mutant({
    name: "park-blind-to-the-inbox",
    breaks: "Parking does not look at the inbox: a message that came during the turn sleeps with the run.",
    killedBy: ["commit.park-with-unread", "inbox.moment-between-decision-and-park", "inbox.moment-of-the-park"],
    plant() {
      const asleep = new Set<string>();
      return (honest) => ({
        ...answers(honest, (answer, commit) => {
          const parked = answer.status === "ok" && commit.kind === "workflow" && commit.next.do === "park";
          if (parked && answer.inboxLast > commit.ackInbox) asleep.add(commit.claim.runId);
          return answer;
        }),
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          return { ...result, tasks: result.tasks.filter(({ claim }) => !asleep.has(claim.runId)) };
        },
      });
    },
  }),
  mutant({
    name: "timer-a-millisecond-early",
    breaks: "A parked run is claimable one millisecond before its time.",
    killedBy: ["timer.never-early", "commit.park"],
    plant: () => (honest) =>
      turns(honest, (commit) =>
        commit.next.do === "park" && commit.next.wakeAt !== null
          ? { ...commit, next: { do: "park", wakeAt: Math.max(0, commit.next.wakeAt - 1) } }
          : commit,
      ),
  }),
  mutant({
    name: "second-turn-after-a-refused-one",
    breaks: "A second turn of a run in one batch is applied if the first was refused.",
    killedBy: ["commit.second-in-batch"],
    plant: () => (honest) => ({
      async commitTasks(commits) {
        const applied = new Set<string>();
        const given: CommitResult[] = [];
        for (const commit of commits) {
          if (commit.kind === "workflow" && applied.has(commit.claim.taskId)) {
            given.push({ status: "invalid", code: "second-commit-in-batch" });
            continue;
          }
          const [answer] = await honest.commitTasks([commit]);
          given.push(answer!);
          if (answer!.status === "ok") applied.add(commit.claim.taskId);
        }
        return given;
      },
    }),
  }),
  mutant({
    name: "inbox-of-the-dead",
    breaks: "A repeated commit of a run that is done names messages, as if somebody were to read them.",
    killedBy: ["commit.retried-after-done"],
    plant: () => (honest) =>
      answers(honest, (answer) =>
        answer.status === "duplicate" && !answer.held ? { ...answer, inboxLast: 2 } : answer,
      ),
  }),
  mutant({
    name: "outcomes-not-remembered",
    breaks:
      "With an activity's task goes the id of its last commit: a repeated outcome is told that its lease is lost.",
    killedBy: ["commit.lost-reply-activity-complete"],
    plant: () => (honest) =>
      answers(honest, (answer, commit) => {
        const isOutcome = commit.kind === "activity" && commit.next.do === "complete";
        return isOutcome && answer.status === "duplicate" ? { status: "lease-lost" } : answer;
      }),
  }),
];
