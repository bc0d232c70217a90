import type { InvalidCommitCode, WorkflowCommit } from "@perdure/core/storage";
import { contains, equal, status } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { type HeldRun, heldRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";

/** A commit that would change everything that a commit can change. */
function full(t: CaseContext, { run, task }: HeldRun, overrides?: Partial<WorkflowCommit>): WorkflowCommit {
  return t.make.turn(task, {
    events: t.make.events(3),
    schedule: [t.make.activity(run, task.lastSeq + 1)],
    run: { state: '"changed"', attributes: { changed: true }, baseSeq: 1 },
    close: { status: "completed", output: '"changed"' },
    next: { do: "park", wakeAt: 0 },
    ...overrides,
  });
}

interface InvalidCommit {
  readonly id: string;
  readonly code: InvalidCommitCode;
  readonly why: string;
  /** Brings a held run to where the commit is invalid, and makes it. */
  prepare(t: CaseContext, held: HeldRun): Promise<WorkflowCommit>;
}

const invalid: readonly InvalidCommit[] = [
  {
    id: "hold-without-events",
    code: "hold-without-events",
    why: "Two eventless commits at one head could not be told apart by expectedSeq.",
    prepare: async (t, held) => t.make.turn(held.task, { events: [], next: { do: "hold" } }),
  },
  {
    id: "done-without-close",
    code: "done-without-close",
    why: "An open run whose task is removed would never end.",
    prepare: async (t, held) => t.make.turn(held.task, { next: { do: "done" } }),
  },
  {
    id: "close-twice",
    code: "close-twice",
    why: "A run has one outcome.",
    async prepare(t, held) {
      status(await held.worker.commit(t.make.closing(held.task)), "ok", "the run is closed");
      return t.make.final(held.task, { expectedSeq: 2 });
    },
  },
  {
    id: "ack-beyond-the-inbox",
    code: "ack-out-of-range",
    why: "A message that has not come cannot have become an event.",
    prepare: async (t, held) => full(t, held, { ackInbox: 1 }),
  },
  {
    id: "ack-going-back",
    code: "ack-out-of-range",
    why: "A message that is an event already would be delivered again.",
    async prepare(t, held) {
      await t.backend.deliver(t.make.messages(2, held.run.runId));
      const ack = t.make.turn(held.task, { ackInbox: 2, next: { do: "hold" } });
      status(await held.worker.commit(ack), "ok", "both are acknowledged");
      return full(t, held, { expectedSeq: 2, ackInbox: 1 });
    },
  },
  {
    id: "too-many-tasks",
    code: "too-many-tasks",
    why: "A commit over the declared limit is an answer, not a driver's error.",
    async prepare(t, held) {
      const count = t.info.limits.tasksPerCommit + 1;
      const schedule = Array.from({ length: count }, (_, index) => t.make.activity(held.run, index + 2));
      return full(t, held, { schedule });
    },
  },
  {
    id: "too-large",
    code: "too-large",
    why: "A commit over the declared size is refused before anything is written.",
    async prepare(t, held) {
      const { commitBytes, payloadBytes } = t.info.limits;
      const size = Math.min(payloadBytes, 1_000_000);
      const count = Math.floor(commitBytes / size);
      const data = "x".repeat(size);
      const events = [
        ...t.make.events(count, { data }),
        t.make.event({ data: "x".repeat(commitBytes - count * size + 1) }),
      ];
      return full(t, held, { events });
    },
  },
];

const invalidCases: readonly ConformanceCase[] = invalid.map((one) => ({
  id: `commit.invalid-${one.id}`,
  level: "L1",
  invariants: ["I3", "I29"],
  guards: ["invalid-commit-refused"],
  why: one.why,
  hint: "checkCommit of @perdure/core/storage decides what needs no task; the rest is decided under the same write.",
  async run(t) {
    const held = await heldRun(t);
    const commit = await one.prepare(t, held);
    await unchanged(t, [held.run.runId], "a refused commit changes nothing", async () => {
      equal(
        await held.worker.commit(commit),
        { status: "invalid", code: one.code },
        `the commit is refused as ${one.code}`,
      );
      t.guard("invalid-commit-refused");
    });
    status(await held.worker.renew(held.task), "held", "the claim is as good as before");
  },
}));

export const refusalCases: readonly ConformanceCase[] = [
  ...invalidCases,
  {
    id: "commit.second-in-batch",
    level: "L1",
    invariants: ["I3", "I7"],
    guards: ["second-commit-refused"],
    why: "Two turns of one run in one batch cannot both have been computed from one head.",
    async run(t) {
      const held = await heldRun(t);
      const other = await heldRun(t);
      const first = t.make.turn(held.task, { next: { do: "hold" } });
      const second = t.make.turn(held.task, { expectedSeq: 2, next: { do: "hold" } });
      const answers = await t.backend.commitTasks([first, t.make.turn(other.task), second]);
      equal(
        answers.map((answer) => answer.status),
        ["ok", "ok", "invalid"],
        "the second is refused",
      );
      equal(answers[2], { status: "invalid", code: "second-commit-in-batch" }, "with the code that says so");
      t.guard("second-commit-refused");
      equal((await history(t.backend, held.run.runId)).length, 2, "only the first is applied");
      equal((await history(t.backend, other.run.runId)).length, 2, "its neighbour, too");
      const wrong = { ...second, commitId: "wrong", expectedSeq: 9 };
      const [refused, next] = await t.backend.commitTasks([wrong, second]);
      status(refused, "conflict", "a first one that is refused");
      equal(next, { status: "invalid", code: "second-commit-in-batch" }, "does not make room for a second");
    },
  },
  {
    id: "commit.conflict",
    level: "L1",
    invariants: ["I3", "I7"],
    guards: ["wrong-seq-refused"],
    why: "A turn that was computed from another head would bind results to the wrong calls.",
    hint: "The head is compared in the same write that appends.",
    async run(t) {
      const held = await heldRun(t);
      await held.worker.commit(t.make.turn(held.task, { events: t.make.events(2), next: { do: "hold" } }));
      for (const expectedSeq of [1, 2, 4, 1_000]) {
        await unchanged(t, [held.run.runId], "a refused commit changes nothing", async () => {
          const answer = await held.worker.commit(full(t, held, { expectedSeq }));
          equal(answer, { status: "conflict", lastSeq: 3 }, "the answer names the head");
          t.guard("wrong-seq-refused");
        });
      }
      contains(
        await held.worker.commit(full(t, held, { expectedSeq: 3 })),
        { status: "ok" },
        "the right one is applied",
      );
    },
  },
  {
    id: "commit.unread",
    level: "L1",
    invariants: ["I3", "I11", "I18"],
    guards: ["unread-close-refused"],
    why: "A signal that was accepted before the end must become an event, or be seen to be discarded.",
    hint: "Compare the newest message with the ack in the same write that closes.",
    async run(t) {
      const held = await heldRun(t);
      const messages = t.make.messages(2, held.run.runId);
      await t.backend.deliver(messages);
      await unchanged(t, [held.run.runId], "a refused close changes nothing", async () => {
        const answer = status(await held.worker.commit(full(t, held, { ackInbox: 0 })), "unread", "closing is refused");
        equal(
          answer.messages.map(({ data }) => data),
          messages.map(({ data }) => data),
          "with the messages, in order",
        );
        t.guard("unread-close-refused");
      });
      const partly = await held.worker.commit(full(t, held, { ackInbox: 1 }));
      equal(
        status(partly, "unread", "one of two is not enough").messages.map(({ no }) => no),
        [2],
        "the other one is shown",
      );
      contains(
        await held.worker.commit(t.make.final(held.task, { ackInbox: 2 })),
        { status: "ok" },
        "with both it closes",
      );
    },
  },
  {
    id: "commit.discard-unread",
    level: "L1",
    invariants: ["I3", "I20"],
    why: "A run that is flooded must be able to end; what it discards is counted.",
    async run(t) {
      const { run, worker, task } = await heldRun(t);
      await t.backend.deliver(t.make.messages(3, run.runId));
      const close = { status: "cancelled", discardUnread: true } as const;
      status(await worker.commit(t.make.final(task, { ackInbox: 1, close })), "ok", "it closes over unread messages");
      contains(await t.backend.getRun(run.runId), { status: "cancelled", task: null }, "the run has ended");
      await t.listed(async () => {
        equal((await t.backend.stats()).discardedMessages, 2, "the unread ones are counted as discarded");
      });
    },
  },
  {
    id: "commit.order-of-checks",
    level: "L1",
    invariants: ["I6", "I7", "I29"],
    why: "A commit that is wrong in many ways is answered the same by every backend: the worker's next step depends on it.",
    hint: "duplicate, lease-lost, invalid, conflict, unread: in this order.",
    async run(t) {
      const held = await heldRun(t);
      const { worker, task, run } = held;
      const applied = t.make.turn(task, { next: { do: "hold" } });
      await worker.commit(applied);
      await t.backend.deliver([t.make.message(run.runId)]);
      const lost = { ...task.claim, epoch: 9 };
      const wrong = { events: [], next: { do: "hold" } as const };
      const close = { close: { status: "completed" as const } };
      const seq = { expectedSeq: 7 };
      const answers = [
        // Right but for its id.
        { ...t.make.turn(task, { expectedSeq: 2, ackInbox: 0, next: { do: "hold" } }), commitId: applied.commitId },
        { ...t.make.turn(task, { ...wrong, ...seq, ...close, claim: lost, ackInbox: 0 }), commitId: applied.commitId },
        t.make.turn(task, { ...wrong, ...seq, ...close, claim: lost, ackInbox: 0 }),
        t.make.turn(task, { ...wrong, ...seq, ...close, ackInbox: 0 }),
        t.make.turn(task, { ...seq, ...close, ackInbox: 0 }),
        t.make.turn(task, { ...close, expectedSeq: 2, ackInbox: 0 }),
      ];
      const seen: string[] = [];
      await unchanged(t, [run.runId], "none of them changes anything", async () => {
        for (const commit of answers) seen.push((await worker.commit(commit)).status);
      });
      const inOrder = ["duplicate", "duplicate", "lease-lost", "invalid", "conflict", "unread"];
      equal(seen, inOrder, "the first check that fails answers");
    },
  },
  {
    id: "commit.refused-neighbour",
    level: "L1",
    invariants: ["I3"],
    guards: ["refused-neighbour"],
    why: "Commits of strangers share a batch: a refused one must not roll the others back, and none may half-apply.",
    hint: "Decide each element before its first write, or use a savepoint for each.",
    async run(t) {
      const bad = await heldRun(t);
      await t.backend.deliver([t.make.message(bad.run.runId)]);
      const refused = [
        full(t, bad, { claim: { ...bad.task.claim, epoch: 9 } }),
        full(t, bad, { events: [], next: { do: "hold" } }),
        full(t, bad, { expectedSeq: 5 }),
        full(t, bad, { ackInbox: 0 }),
      ];
      for (const commit of refused) {
        const before = await heldRun(t);
        const after = await heldRun(t);
        const answers = await t.backend.commitTasks([t.make.turn(before.task), commit, t.make.turn(after.task)]);
        equal([answers[0]?.status, answers[2]?.status], ["ok", "ok"], "the neighbours are applied");
        equal(answers[1]?.status === "ok", false, "the bad one is refused");
        t.guard("refused-neighbour");
        for (const { run } of [before, after]) {
          equal((await history(t.backend, run.runId)).length, 2, "the neighbours have their events");
        }
        contains(
          await t.backend.getRun(bad.run.runId),
          { lastSeq: 1, state: null, status: "open" },
          "the bad one wrote nothing",
        );
      }
      equal((await t.worker().claim({ kinds: ["activity"] })).tasks, [], "no activity task came of it");
    },
  },
];
