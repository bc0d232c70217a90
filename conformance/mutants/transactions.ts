import { setTimeout as sleep } from "node:timers/promises";
import type { Claim, CommitResult, StorageBackend, TaskCommit, WriteOptions } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

const NO_TRANSACTION: WriteOptions = {};

/** Each of the three verbs, its options changed. */
function withOptions(
  honest: StorageBackend,
  change: (options: WriteOptions | undefined) => WriteOptions | undefined,
): Partial<StorageBackend> {
  return {
    createRuns: (runs, options) => honest.createRuns(runs, change(options)),
    deliver: (messages, options) => honest.deliver(messages, change(options)),
    commitTasks: (commits, options) => honest.commitTasks(commits, change(options)),
  };
}

/** Tries each of the three verbs as it is asked, and without the transaction if that is refused. */
function orOutside(honest: StorageBackend, isMeant: (tx: unknown) => boolean): Partial<StorageBackend> {
  const attempt = async <R>(
    options: WriteOptions | undefined,
    call: (how?: WriteOptions) => Promise<R>,
  ): Promise<R> => {
    try {
      return await call(options);
    } catch (error) {
      if (options?.tx === undefined || !isMeant(options.tx)) throw error;
      return call();
    }
  };
  return {
    createRuns: (runs, options) => attempt(options, (how) => honest.createRuns(runs, how)),
    deliver: (messages, options) => attempt(options, (how) => honest.deliver(messages, how)),
    commitTasks: (commits, options) => attempt(options, (how) => honest.commitTasks(commits, how)),
  };
}

function isTransaction(tx: unknown): boolean {
  return (tx as object | null)?.constructor.name === "MemoryTransaction";
}

/** Bugs in what is written, or not, with a caller's transaction. */
export const transactionMutants: readonly Mutant[] = [
  mutant({
    name: "writes-beside-the-transaction",
    breaks: "The transaction is ignored: everything is written at once, for good.",
    killedBy: [
      "tx.start-commits",
      "tx.start-rolls-back",
      "tx.message-commits",
      "tx.message-rolls-back",
      "tx.outcome-commits",
      "tx.outcome-rolls-back",
      "tx.outcome-retry",
      "tx.all-in-one",
      "tx.activity-retried",
      "tx.start-and-signal",
    ],
    plant: () => (honest) => withOptions(honest, () => NO_TRANSACTION),
  }),
  mutant({
    name: "first-of-a-batch-in-the-transaction",
    breaks: "Only the first run of a batch is written in the transaction, the others beside it.",
    killedBy: ["tx.start-commits", "tx.start-rolls-back"],
    plant: () => (honest) => ({
      createRuns: async (runs, options) => [
        ...(await honest.createRuns(runs.slice(0, 1), options)),
        ...(await honest.createRuns(runs.slice(1))),
      ],
    }),
  }),
  mutant({
    name: "joins-what-is-over",
    breaks: "With a transaction that is over it writes beside it.",
    killedBy: ["tx.finished-refused"],
    plant: () => (honest) => orOutside(honest, isTransaction),
  }),
  mutant({
    name: "joins-anything",
    breaks: "With an object that is no transaction it writes without one.",
    killedBy: ["tx.foreign-refused"],
    plant: () => (honest) => orOutside(honest, (tx) => !isTransaction(tx)),
  }),
  mutant({
    name: "turns-in-transactions",
    breaks: "A turn that comes with a transaction is written all the same.",
    killedBy: ["tx.turns-refused"],
    plant: () => (honest) => orOutside(honest, isTransaction),
  }),
  mutant({
    name: "not-fenced-in-a-transaction",
    breaks: "In a transaction, the end of an activity is accepted under an old epoch.",
    killedBy: ["tx.outcome-of-a-stale-claim"],
    plant: () => (honest) => ({
      async commitTasks(commits, options) {
        const newest = (claim: Claim): Claim => ({ ...claim, epoch: claim.epoch + 1 });
        const answers: CommitResult[] = [];
        for (const commit of commits) {
          const [answer] = await honest.commitTasks([commit], options);
          const isRefused = answer!.status === "lease-lost" && options?.tx !== undefined;
          const again: TaskCommit = { ...commit, claim: newest(commit.claim) };
          answers.push(isRefused ? (await honest.commitTasks([again], options))[0]! : answer!);
        }
        return answers;
      },
    }),
  }),
  mutant({
    name: "ids-taken-by-a-roll-back",
    breaks: "Ids of runs and of messages are remembered in the process, also when their transaction was rolled back.",
    killedBy: ["tx.start-rolls-back", "tx.message-rolls-back"],
    plant: () => {
      const taken = new Set<string>();
      return (honest) => ({
        async createRuns(runs, options) {
          const answers = await honest.createRuns(runs, options);
          return answers.map((answer) => {
            const { runId } = answer.run;
            const isKnown = options?.tx === undefined && taken.has(runId);
            taken.add(runId);
            return isKnown && answer.status === "created" ? { ...answer, status: "existing" } : answer;
          });
        },
        async deliver(messages, options) {
          const answers = await honest.deliver(messages, options);
          return answers.map((answer, index) => {
            const id = `${messages[index]!.runId} ${messages[index]!.dedupeId}`;
            const isKnown = options?.tx === undefined && taken.has(id);
            taken.add(id);
            return isKnown && answer.status === "accepted" ? { status: "duplicate" } : answer;
          });
        },
      });
    },
  }),
  mutant({
    name: "numbers-of-rolled-back-messages",
    breaks: "A message takes its number when it is sent, whatever becomes of its transaction.",
    killedBy: ["tx.message-rolls-back"],
    plant: () => {
      let taken = 0;
      return (honest) => ({
        async deliver(messages, options) {
          if (options?.tx !== undefined) taken += messages.length;
          return honest.deliver(messages, options);
        },
        async claimTasks(request) {
          const result = await honest.claimTasks(request);
          const tasks = result.tasks.map((task) => {
            if (task.kind === "activity") return task;
            return { ...task, messages: task.messages.map((message) => ({ ...message, no: message.no + taken })) };
          });
          return { ...result, tasks };
        },
      });
    },
  }),
  mutant({
    name: "sees-only-the-beginning",
    breaks: "What others have created since the transaction began it does not see.",
    killedBy: ["tx.sees-what-others-committed"],
    plant: () => {
      const since = new Map<unknown, Set<string>>();
      return (honest) => ({
        async createRuns(runs, options) {
          const answers = await honest.createRuns(runs, options);
          if (options?.tx === undefined) {
            for (const unseen of since.values()) for (const { runId } of runs) unseen.add(runId);
            return answers;
          }
          const unseen = since.get(options.tx) ?? new Set<string>();
          since.set(options.tx, unseen);
          return answers.map((answer) => (unseen.has(answer.run.runId) ? { ...answer, status: "created" } : answer));
        },
      });
    },
  }),
  mutant({
    name: "answers-of-a-transaction-unchecked",
    breaks: "Whatever others do with an id, in a transaction it is created.",
    killedBy: ["tx.start-answers", "tx.start-race"],
    plant: () => (honest) => ({
      async createRuns(runs, options) {
        const answers = await honest.createRuns(runs, options);
        if (options?.tx === undefined) return answers;
        return answers.map((answer, index) => {
          const { incarnation } = runs[index]!;
          return { status: "created", run: { ...answer.run, incarnation } };
        });
      },
    }),
  }),
  mutant({
    name: "answers-of-a-sender-unchecked",
    breaks: "In a transaction every message is answered as accepted.",
    killedBy: ["tx.message-answers"],
    plant: () => (honest) => ({
      async deliver(messages, options) {
        const answers = await honest.deliver(messages, options);
        return options?.tx === undefined ? answers : answers.map(() => ({ status: "accepted" }));
      },
    }),
  }),
  mutant({
    name: "calls-in-a-transaction-mixed-up",
    breaks: "A message that is sent in a transaction while another one is on its way takes that one's place.",
    killedBy: ["tx.calls-at-once"],
    plant: () => {
      let isUnderWay = false;
      return (honest) => ({
        async deliver(messages, options) {
          if (options?.tx === undefined) return honest.deliver(messages);
          if (isUnderWay) return messages.map(() => ({ status: "duplicate" }));
          isUnderWay = true;
          const answers = await honest.deliver(messages, options);
          isUnderWay = false;
          return answers;
        },
      });
    },
  }),
  mutant({
    name: "commit-in-a-transaction-forgotten",
    breaks: "The id of a commit that was made in a transaction is not remembered.",
    killedBy: ["tx.outcome-again"],
    plant: () => (honest) => ({
      async commitTasks(commits, options) {
        const answers = await honest.commitTasks(commits, options);
        return answers.map((answer, index) => {
          const isOutcome = commits[index]!.kind === "activity";
          return isOutcome && answer.status === "duplicate" ? { status: "lease-lost" } : answer;
        });
      },
    }),
  }),
  mutant({
    name: "task-outlives-its-transaction",
    breaks: "In a transaction an outcome is delivered, but its task stays.",
    killedBy: ["tx.outcome-commits", "tx.outcome-again", "tx.activity-commit-unknown", "tx.activity-worker-dies"],
    plant: () => (honest) => ({
      async commitTasks(commits, options) {
        if (options?.tx === undefined) return honest.commitTasks(commits);
        const messages = commits.flatMap(({ kind, next }) => {
          return kind === "activity" && next.do === "complete" ? [next.message] : [];
        });
        await honest.deliver(messages, options);
        return commits.map(() => ({ status: "ok", held: false, now: 0, leaseUntil: null, inboxLast: 0, messages: [] }));
      },
    }),
  }),
  mutant({
    name: "others-wait-for-a-transaction",
    breaks: "While a transaction is open that has written something, nobody else can write.",
    killedBy: ["tx.holds-up-nobody", "tx.sees-what-others-committed"],
    plant: () => {
      let isOpen = false;
      return (honest) => ({
        async createRuns(runs, options) {
          if (options?.tx !== undefined) isOpen = true;
          else if (isOpen) throw new Error("database is locked");
          return honest.createRuns(runs, options);
        },
      });
    },
  }),
  mutant({
    name: "time-of-before-the-wait",
    breaks: "A verb that waits for a transaction answers with the time at which it began to wait.",
    killedBy: ["tx.time-of-those-who-wait"],
    plant: () => {
      let isOpen = false;
      return (honest, { storeClock }) => ({
        deliver: (messages, options) => ((isOpen = options?.tx !== undefined), honest.deliver(messages, options)),
        async renewLeases(claims, leaseMs) {
          const now = storeClock.now();
          if (isOpen) await sleep(100);
          const answers = await honest.renewLeases(claims, leaseMs);
          return answers.map((answer) => (answer.status === "held" ? { ...answer, now } : answer));
        },
      });
    },
  }),
  mutant({
    name: "hint-before-the-commit",
    breaks: "What a transaction wakes is hinted at when it is written, not when it is committed.",
    killedBy: ["tx.hint"],
    plant: () => {
      const listeners = new Set<() => void>();
      let isQuiet = false;
      const written = (options: WriteOptions | undefined): void => {
        isQuiet = options?.tx !== undefined;
        if (isQuiet) for (const tell of listeners) tell();
      };
      return (honest) => ({
        createRuns: (runs, options) => (written(options), honest.createRuns(runs, options)),
        deliver: (messages, options) => (written(options), honest.deliver(messages, options)),
        subscribe(onWake) {
          listeners.add(() => onWake({ of: "queue", queue: "new" }));
          return honest.subscribe!((topic) => void (isQuiet || onWake(topic)));
        },
      });
    },
  }),
];
