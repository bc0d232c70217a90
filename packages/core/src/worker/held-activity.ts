import { readTaskDetails } from "../engine/activity-task.ts";
import { activityClosedMessage } from "../engine/inbox-message.ts";
import { CancelledError, UsageError } from "../errors/index.ts";
import type { Failure } from "../model/failure.ts";
import { parseTaskId } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import { nextDelayAfter } from "../model/retry.ts";
import { toFailure } from "../model/to-failure.ts";
import type { ActivityCommit } from "../storage/commit.ts";
import type { NewMessage } from "../storage/message.ts";
import type { ClaimedActivityTask, RenewResult } from "../storage/task.ts";
import type { ActivityCall, AttemptTransaction } from "./activity-call.ts";
import { ActivityAttempt, type AttemptOutcome } from "./activity-attempt.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Held } from "./held.ts";
import type { Lease } from "./lease.ts";
import { logFailedAttempt } from "./log-failures.ts";
import type { Release } from "./release.ts";

/** The attempt that the task stands for, and the policy that decides about the next one. */
type TaskCall = ActivityCall & Pick<ReturnType<typeof readTaskDetails>, "retry">;

const LOST = "The activity was cancelled, or has another worker.";

/** What came of a hand-out: the attempt's end, or that there was none. */
type End = AttemptOutcome | "lost" | "drained";

/**
 * An activity that this worker executes for a run which it does not hold: one attempt in a slot. The attempt's end is one write:
 * the outcome goes to the run's inbox, or the task waits for its next attempt, without a turn of the workflow.
 */
export class HeldActivity implements Held {
  readonly #environment: WorkerEnvironment;
  readonly #task: ClaimedActivityTask;
  readonly #lease: Lease;
  readonly #call: TaskCall;
  readonly #end = Promise.withResolvers<End>();
  readonly #lost = Promise.withResolvers<Release>();
  #attempt: ActivityAttempt | null = null;
  #stopped = false;
  /** The result was written in a transaction that may still be open. */
  #isWritten = false;

  constructor(environment: WorkerEnvironment, task: ClaimedActivityTask, lease: Lease) {
    this.#environment = environment;
    this.#task = task;
    this.#lease = lease;
    this.#call = callOf(environment, task, {
      mayBegin: () => this.#provesLease(),
      record: (tx, output) => this.#record(tx, output),
    });
  }

  /** Holds the task until its attempt has ended and that is written, or until it is lost. */
  drive(): Promise<Release> {
    // A write that the storage does not take ends with the lease.
    return Promise.race([this.#lost.promise, this.#drive()]);
  }

  async #drive(): Promise<Release> {
    const { deliveries, task } = this.#task;
    if (deliveries > this.#environment.maxDeliveries) return this.#setAside();
    this.#start();
    const end = await this.#end.promise;
    if (this.#attempt !== null) this.#environment.slots.release();
    if (end === "lost") return { to: "lost" };
    if (end === "drained") return this.#commit({ do: "release" });
    if ("output" in end) return end.recorded === true ? { to: "done" } : this.#complete(end);
    const delayMs = nextDelayAfter(this.#call.retry, task.attempt, this.#environment.runtime.random(), end.failure);
    this.#logFailed(end.failure, delayMs);
    if (delayMs === null) return this.#complete(end);
    const at = this.#environment.access.clock.latest() + delayMs;
    return this.#commit({ do: "retry", at, attempt: task.attempt + 1 });
  }

  #setAside(): Promise<Release> {
    const { claim, workflow, task } = this.#task;
    const failure = poisoned(this.#task);
    this.#environment.logger.error(failure.message, {
      code: "poisoned",
      workflow,
      runId: claim.runId,
      activity: task.activity,
    });
    return this.#complete({ failure });
  }

  #logFailed(failure: Failure, delayMs: number | null): void {
    const { runId, workflow, name, attempt, retry } = this.#call;
    const { maximumAttempts } = retry;
    logFailedAttempt(this.#environment.logger, { runId, workflow, name, attempt, maximumAttempts, delayMs }, failure);
  }

  renewed(result: RenewResult, sentAt: number): void {
    if (result.status === "lost") this.lose(LOST);
    else this.#lease.renewed(sentAt);
  }

  get isEnding(): boolean {
    return this.#isWritten;
  }

  lose(reason = "This worker can no longer prove that it owns the activity."): void {
    this.#stop("lost", reason);
    this.#lost.resolve({ to: "lost" });
  }

  drain(hard: boolean): void {
    if (hard || this.#attempt === null) this.#stop("drained", "The worker is stopping.");
  }

  noticeSlow(): boolean {
    return false;
  }

  #start = (): void => {
    if (this.#attempt !== null || this.#stopped) return;
    if (!this.#provesLease()) return;
    if (!this.#environment.slots.take(this.#start)) return;
    this.#attempt = new ActivityAttempt(this.#environment, this.#call, this.#end.resolve);
    void this.#attempt.execute();
  };

  #provesLease(): boolean {
    if (!this.#lease.proven) this.lose();
    return this.#lease.proven;
  }

  #stop(end: "lost" | "drained", reason: string): void {
    this.#stopped = true;
    this.#attempt?.abort(new CancelledError({ reason }));
    this.#end.resolve(end);
  }

  async #complete(outcome: AttemptOutcome): Promise<Release> {
    try {
      return await this.#commit({ do: "complete", message: this.#message(outcome) });
    } catch (error) {
      // The storage will never take this result.
      if (!(error instanceof UsageError) || "failure" in outcome) throw error;
      return this.#complete({ failure: { ...toFailure(error), nonRetryable: true } });
    }
  }

  /** Completes the task inside the transaction of its code. A task that is somebody else's by now is lost, and nothing is written. */
  async #record(tx: unknown, output: Payload): Promise<void> {
    const commit = this.#commitOf({ do: "complete", message: this.#message({ output }) });
    const { status } = await this.#environment.access.commitIn(tx, commit);
    if (status === "ok" || status === "duplicate") this.#isWritten = true;
    else this.lose(LOST);
  }

  #message(outcome: AttemptOutcome): NewMessage {
    const { codec } = this.#environment;
    const { claim, task } = this.#task;
    const { seq } = parseTaskId(claim.taskId)!;
    const ended = { seq, attempt: task.attempt, cached: "cached" in outcome };
    const data = activityClosedMessage(
      codec,
      ended,
      "output" in outcome ? { output: outcome.output } : { failure: codec.encode(outcome.failure) },
    );
    const { runId, incarnation } = claim;
    return { runId, incarnation, dedupeId: `activity-closed:${seq}`, external: false, data };
  }

  async #commit(next: ActivityCommit["next"]): Promise<Release> {
    const { access } = this.#environment;
    const commit = this.#commitOf(next);
    // It may have to wait for the end of the transaction: nobody else shall wait with it.
    const { status } = await (this.#isWritten ? access.commitAlone(commit) : access.commit(commit));
    if (status !== "ok" && status !== "duplicate") return { to: "lost" };
    return next.do === "retry" ? { to: "parked", wakeAt: next.at } : { to: "done" };
  }

  #commitOf(next: ActivityCommit["next"]): ActivityCommit {
    return { kind: "activity", claim: this.#task.claim, commitId: this.#environment.runtime.id(), next };
  }
}

function callOf(
  { registry }: WorkerEnvironment,
  { claim, workflow, task }: ClaimedActivityTask,
  { mayBegin, record }: Pick<ActivityCall, "mayBegin"> & Pick<AttemptTransaction, "record">,
): TaskCall {
  const { inputSchema, outputSchema, execute, cache, transaction } = registry.activity(task.activity)!;
  return {
    ...readTaskDetails(task.details),
    runId: claim.runId,
    workflow,
    name: task.activity,
    attempt: task.attempt,
    inputSchema,
    outputSchema,
    execute,
    cache,
    transaction: transaction && { run: transaction, record },
    input: task.input,
    claim,
    mayBegin,
    resumes: claim.epoch > 1 && transaction === null,
  };
}

/** Whoever executed it died of it, or was gone for longer than its lease, again and again. */
function poisoned({ claim, deliveries, task }: ClaimedActivityTask): Failure {
  return {
    name: "Error",
    message:
      `Activity "${task.activity}" of run "${claim.runId}" was handed out ${deliveries - 1} times and its worker never came back: it kills or blocks the process that executes it. ` +
      "Mend its code, or give it a longer lease.",
    code: "poisoned",
    nonRetryable: true,
  };
}
