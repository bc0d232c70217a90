import type { StorageBackend, StoredMessage } from "@perdure/core/storage";
import { workflowTaskId } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

export const inboxMutants: readonly Mutant[] = [
  mutant({
    name: "messages-out-of-order",
    breaks: "An inbox is read in the order of its ids.",
    killedBy: ["inbox.order-and-numbers", "inbox.senders-keep-their-order"],
    plant: () => (honest) => ({
      async claimTasks(request) {
        const result = await honest.claimTasks(request);
        const tasks = result.tasks.map((task) =>
          task.kind === "workflow" ? { ...task, messages: task.messages.toSorted(byId) } : task,
        );
        return { ...result, tasks };
      },
    }),
  }),
  mutant({
    name: "dedupe-missing",
    breaks: "A message is stored however often it is sent.",
    killedBy: ["inbox.duplicate", "inbox.lost-reply", "inbox.one-message-fifty-times"],
    plant() {
      let sent = 0;
      return (honest) => ({
        deliver: (messages) =>
          honest.deliver(
            messages.map((message) => ({ ...message, dedupeId: `${message.dedupeId}#${sent++}`.slice(-255) })),
          ),
      });
    },
  }),
  mutant({
    name: "dedupe-forgotten-at-the-ack",
    breaks: "An id is remembered only while its message waits.",
    killedBy: ["inbox.dedupe-outlives-the-ack", "inbox.dedupe-outlives-continue-as-new", "inbox.dedupe-for-a-day"],
    plant: () => (honest) => ({
      deliver: (messages) => honest.deliver(messages.map((message) => ({ ...message, external: false }))),
    }),
  }),
  mutant({
    name: "dedupe-forgotten-at-the-end",
    breaks: "A closed run answers `closed` to everything: also to the repetition of a message that it had accepted.",
    killedBy: ["inbox.dedupe-outlives-the-end", "replay.signal-repeated-after-the-end"],
    plant: () => (honest) => ({
      async deliver(messages) {
        const answers = await honest.deliver(messages);
        return Promise.all(
          answers.map(async (answer, index) => {
            const run = await honest.getRun(messages[index]!.runId);
            const isClosed = run !== undefined && run.status !== "open";
            return answer.status === "duplicate" && isClosed ? ({ status: "closed" } as const) : answer;
          }),
        );
      },
    }),
  }),
  mutant({
    name: "duplicates-wake",
    breaks: "A batch of messages that are all known makes their run claimable.",
    killedBy: ["inbox.duplicate-within-a-batch"],
    plant() {
      let woken = 0;
      return (honest) => ({
        async deliver(messages) {
          const answers = await honest.deliver(messages);
          const isKnown = messages.length > 1 && answers.every(({ status }) => status === "duplicate");
          if (isKnown) await honest.deliver([{ ...messages[0]!, dedupeId: `wake ${woken++}`, external: false }]);
          return answers;
        },
      });
    },
  }),
  mutant({
    name: "dedupe-across-runs",
    breaks: "Dedupe ids are unique in the whole namespace.",
    killedBy: ["inbox.dedupe-is-per-run"],
    plant() {
      const seen = new Map<string, string>();
      return (honest) => ({
        async deliver(messages) {
          const answers = await honest.deliver(messages);
          return answers.map((answer, index) => {
            const { dedupeId, runId } = messages[index]!;
            const first = seen.get(dedupeId) ?? runId;
            seen.set(dedupeId, first);
            return first === runId ? answer : { status: "duplicate" };
          });
        },
      });
    },
  }),
  mutant({
    name: "closed-unknown-to-the-task",
    breaks: "Whether a run takes messages is decided by its task: between the end and done it still does.",
    killedBy: ["inbox.moment-between-end-and-done"],
    plant: () => (honest) => ({
      async deliver(messages) {
        const answers = await honest.deliver(messages);
        return Promise.all(
          answers.map(async (answer, index) => {
            const run = await honest.getRun(messages[index]!.runId);
            return answer.status === "closed" && run?.task ? ({ status: "accepted" } as const) : answer;
          }),
        );
      },
    }),
  }),
  mutant({
    name: "block-woken-by-a-message",
    breaks: "Any message makes a blocked run claimable: it kills the next worker.",
    killedBy: ["inbox.does-not-lift-a-block", "claim.poisoned-with-unread-messages", "commit.block"],
    plant: () => (honest) => ({
      async deliver(messages) {
        const answers = await honest.deliver(messages);
        for (const { runId } of messages) await lift(honest, runId);
        return answers;
      },
    }),
  }),
  mutant({
    name: "wake-forgotten-under-a-lease",
    breaks: "A message to a held run wakes nobody when its holder dies.",
    killedBy: ["inbox.moment-while-the-holder-is-dead", "inbox.moment-before-a-renewal"],
    plant() {
      const asleep = new Set<string>();
      return (honest) => ({
        async deliver(messages) {
          for (const { runId } of messages) if ((await honest.getRun(runId))?.task?.leaseUntil) asleep.add(runId);
          return honest.deliver(messages);
        },
        async commitTasks(commits) {
          for (const { claim } of commits) asleep.delete(claim.runId);
          return honest.commitTasks(commits);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          return { ...result, tasks: result.tasks.filter(({ claim }) => !asleep.has(claim.runId)) };
        },
      });
    },
  }),
  mutant({
    name: "messages-to-any-incarnation",
    breaks: "A message that is meant for an earlier run reaches the one that has its id now.",
    killedBy: ["inbox.addressed-to-an-incarnation", "fence.zombie-of-a-recreated-run"],
    plant: () => (honest) => ({
      deliver: (messages) => honest.deliver(messages.map(({ incarnation: _incarnation, ...message }) => message)),
    }),
  }),
  mutant({
    name: "discarded-not-counted",
    breaks: "Messages that were accepted and dropped leave no trace.",
    killedBy: ["commit.discard-unread"],
    plant: () => (honest) => ({ stats: async () => ({ ...(await honest.stats()), discardedMessages: 0 }) }),
  }),
];

function byId(a: StoredMessage, b: StoredMessage): number {
  return a.dedupeId < b.dedupeId ? -1 : 1;
}

async function lift(honest: StorageBackend, runId: string): Promise<void> {
  const run = await honest.getRun(runId);
  if (run?.task?.blocked != null) await honest.unblockTasks([workflowTaskId(runId, run.incarnation)]);
}
