import type {
  Claim,
  ClaimedActivityTask,
  ClaimedWorkflowTask,
  CommitResult,
  InboxNo,
  Millis,
  Seq,
  TaskCommit,
  TaskId,
} from "@perdure/core/storage";
import type { Call, Exchange } from "./call.ts";
import { STEP } from "./steps.ts";
import { type RunName, RUNS } from "./names.ts";

/** What workers know of a run that they hold or held. */
export interface Known {
  lastSeq: Seq;
  inboxAcked: InboxNo;
  inboxLast: InboxNo;
}

/** Calls whose repetition is recognised by something, or harms nobody. */
const REPEATABLE: ReadonlySet<string> = new Set(["createRuns", "renewLeases", "commitTasks", "deliver", "writeCache"]);

/** What those who call have heard in a sequence so far: what the next operations are made from. */
export class World {
  readonly origin: Millis;
  /** Of the sequence's time, since its origin. */
  step = 0;
  /** A run was purged. */
  purged = false;
  // Newest last; those that have ended stand before all others.
  turns: readonly ClaimedWorkflowTask[] = [];
  activities: readonly ClaimedActivityTask[] = [];
  claims: readonly Claim[] = [];
  readonly repeatable: Call[] = [];
  readonly #known = new Map<TaskId, Known>();
  readonly #incarnations = new Map<string, string>();
  /** By client. */
  readonly #holding = new Map<number, TaskId[]>();
  readonly #starts = new Map<number, number>();
  #numbers = 0;

  constructor(origin: Millis) {
    this.origin = origin;
  }

  /** A number that nothing else in the sequence has. */
  number(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** The beginning of a step. */
  at(steps: number): Millis {
    return this.origin + (this.step + steps) * STEP;
  }

  /** The newest incarnation that was heard of. */
  incarnation(run: RunName): string {
    return this.#incarnations.get(RUNS[run].runId) ?? "no-incarnation-yet";
  }

  known(taskId: TaskId): Known {
    return this.#known.get(taskId) ?? { lastSeq: 1, inboxAcked: 0, inboxLast: 0 };
  }

  /** All that a client's worker has claimed, in that order: that it may have lost or ended some of it harms nobody. */
  holding(client: number): readonly TaskId[] {
    return this.#holding.get(client) ?? [];
  }

  /** The client's worker starts anew: it knows of nothing that it holds. */
  restart(client: number): void {
    this.#starts.set(client, this.start(client) + 1);
    this.#holding.delete(client);
  }

  start(client: number): number {
    return this.#starts.get(client) ?? 0;
  }

  /** Takes note of a call that is made. */
  send(call: Call): void {
    if (!REPEATABLE.has(call.verb)) return;
    // Whether a message of the engine's own is known for a duplicate after its ack is left open.
    if (call.verb === "deliver" && call.args[0].some(({ external }) => !external)) return;
    this.repeatable.push(call);
  }

  /** Takes note of an answer. */
  hear(client: number, exchange: Exchange): void {
    switch (exchange.verb) {
      case "createRuns":
        for (const { run } of exchange.answer) this.#incarnations.set(run.runId, run.incarnation);
        return;
      case "claimTasks":
        for (const task of exchange.answer.tasks) this.#take(client, task);
        return;
      case "renewLeases":
        for (const [index, claim] of exchange.args[0].entries()) {
          const answer = exchange.answer[index]!;
          if (answer.status === "held") this.#learn(claim.taskId, { inboxLast: answer.inboxLast });
        }
        return;
      case "commitTasks":
        for (const [index, commit] of exchange.args[0].entries()) this.#committed(commit, exchange.answer[index]!);
        return;
      case "purgeRuns":
        this.purged ||= exchange.answer.purged > 0;
        return;
      default:
    }
  }

  #take(client: number, task: ClaimedWorkflowTask | ClaimedActivityTask): void {
    const { taskId } = task.claim;
    this.claims = [...this.claims, task.claim];
    this.#holding.set(client, [...this.holding(client).filter((id) => id !== taskId), taskId]);
    if (task.kind === "activity") {
      this.activities = [...this.activities, task];
      return;
    }
    this.turns = [...this.turns, task];
    const { lastSeq, inboxAcked, messages } = task;
    this.#learn(taskId, { lastSeq, inboxAcked, inboxLast: inboxAcked + messages.length });
  }

  #committed(commit: TaskCommit, answer: CommitResult): void {
    if (answer.status === "ok" && !answer.held) this.#end(commit.claim);
    if (commit.kind === "activity") return;
    const { taskId } = commit.claim;
    if (answer.status === "conflict") this.#learn(taskId, { lastSeq: answer.lastSeq });
    if (answer.status !== "ok") return;
    this.#learn(taskId, {
      lastSeq: commit.expectedSeq + commit.events.length,
      inboxAcked: commit.ackInbox,
      inboxLast: answer.inboxLast,
    });
  }

  #end(claim: Claim): void {
    this.turns = toFront(this.turns, (task) => task.claim === claim);
    this.activities = toFront(this.activities, (task) => task.claim === claim);
    this.claims = toFront(this.claims, (one) => one === claim);
  }

  #learn(taskId: TaskId, news: Partial<Known>): void {
    this.#known.set(taskId, { ...this.known(taskId), ...news });
  }
}

function toFront<T>(items: readonly T[], belongs: (item: T) => boolean): readonly T[] {
  return [...items.filter(belongs), ...items.filter((item) => !belongs(item))];
}
