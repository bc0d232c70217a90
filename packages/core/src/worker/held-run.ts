import { firstThatFit } from "../batch/first-that-fit.ts";
import { activityCompleted, activityFailed, activityScheduled } from "../engine/activity-events.ts";
import { dutiesOf } from "../engine/duties.ts";
import { closeAfter, terminalEvent, timedOut, type Continuation, type Ending } from "../engine/ending.ts";
import type { Execution } from "../engine/execution.ts";
import { isRemark } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { Millis, Seq } from "../model/ids.ts";
import type { CommitResult, WorkflowCommit } from "../storage/commit.ts";
import type { NewMessage, StoredMessage } from "../storage/message.ts";
import type { Claim, ClaimedWorkflowTask, RenewResult } from "../storage/task.ts";
import { Attempts, type EndedAttempt } from "./attempts.ts";
import { blockStep } from "./block-run.ts";
import { Commits, type Turn } from "./commits.ts";
import { GENERATIONS_HELD, turnOver } from "./continue-run.ts";
import { Effects, recordOutcome } from "./effects.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Held } from "./held.ts";
import { tooLong, warnOfLength } from "./history-limits.ts";
import { Inbox } from "./inbox.ts";
import { Inputs, type Input } from "./inputs.ts";
import type { Lease } from "./lease.ts";
import { loadExecution } from "./load-execution.ts";
import { logFailedAttempt, logFailedRun } from "./log-failures.ts";
import { refusedByStorage } from "./refused-by-storage.ts";
import { releaseBy, type AppliedResult, type Release } from "./release.ts";
import { startActivities } from "./start-activities.ts";
import { wakeTimeOf } from "./wake-time.ts";

/**
 * A run whose claim this worker holds: turns what arrives into events, lets the code answer, commits, and carries out what the code
 * asked for once everything before it is durable. One commit is in flight at a time; the code runs ahead of it in memory. Whatever
 * refuses a commit throws this object and its execution away.
 */
export class HeldRun implements Held {
  readonly claim: Claim;
  readonly lease: Lease;
  readonly isEnding = false;
  readonly #environment: WorkerEnvironment;
  readonly #task: ClaimedWorkflowTask;
  readonly #inputs: Inputs;
  readonly #inbox: Inbox;
  readonly #attempts: Attempts;
  readonly #commits: Commits;
  #execution!: Execution;
  #effects!: Effects;
  #listening = false;
  /** An activity waits for a slot. */
  #isCrowded = false;
  #unreadRounds = 0;
  /** Generations that have ended in these hands. */
  #generations = 0;
  #draining = false;
  #release: Release | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(environment: WorkerEnvironment, task: ClaimedWorkflowTask, lease: Lease) {
    this.claim = task.claim;
    this.lease = lease;
    this.#environment = environment;
    this.#task = task;
    this.#inputs = new Inputs(environment.runtime);
    this.#inbox = new Inbox(environment, task.inboxAcked);
    this.#commits = new Commits(environment, task, this.#inputs, (error) => this.#fail(error));
    this.#attempts = new Attempts(environment, task.claim, {
      ended: (ended) => this.#inputs.push({ kind: "attempt", ended }),
      slotFree: () => this.#lookAgain(),
      mayBegin: () => this.#provesLease(),
    });
  }

  /**
   * Holds the run until it parks, ends, or is lost.
   * @throws what made it impossible to go on: the storage, an unreadable history
   */
  async drive(): Promise<Release> {
    try {
      const { execution, wasElsewhere } = await loadExecution(this.#environment, this.#task);
      this.#adopt(execution);
      if (wasElsewhere) this.#attempts.suspect(execution.open.activities.keys());
      await this.#receive(this.#task.messages);
      await this.#loop();
    } finally {
      this.#inputs.callOff();
      this.#attempts.abort("The run has left this worker.");
      if (this.#listening) this.#environment.hints()?.delete({ of: "inbox", runId: this.claim.runId });
    }
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#release!.to === "parked" && this.#execution.fresh.length === 0) {
      const { durable: lastSeq, lastCommitId } = this.#commits;
      this.#environment.cache.put(this.claim.taskId, { execution: this.#execution, lastSeq, lastCommitId });
    }
    return this.#release!;
  }

  renewed(result: RenewResult, sentAt: number): void {
    if (result.status === "lost") return this.lose();
    this.lease.renewed(sentAt);
    if (result.messages.length > 0) this.#inputs.push({ kind: "messages", messages: result.messages });
  }

  lose(): void {
    this.#release ??= { to: "lost" };
    this.#attempts.abort("This worker can no longer prove that it owns the run.");
    this.#lookAgain();
  }

  drain(hard: boolean): void {
    this.#draining = true;
    if (hard) this.#attempts.abort("The worker is stopping.");
    this.#lookAgain();
  }

  /** From the first slow attempt on, or the first wait for a slot, the run listens to its inbox. */
  noticeSlow(startedBefore: number): boolean {
    let isSlow = this.#isCrowded;
    for (const command of this.#attempts.slow(startedBefore)) {
      isSlow = true;
      if (this.#execution.open.activities.get(command)?.recorded === false)
        this.#inputs.push({ kind: "slow", command });
    }
    if (this.#listening || !isSlow) return false;
    this.#listening = true;
    this.#environment.hints()?.add({ of: "inbox", runId: this.claim.runId });
    return true;
  }

  #adopt(execution: Execution): void {
    this.#execution = execution;
    this.#effects = new Effects(this.#environment, execution, this.lease, {
      done: (outcome) => this.#inputs.push(outcome),
      failed: (error) => this.#fail(error),
    });
  }

  #lookAgain(): void {
    this.#inputs.push({ kind: "look" });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.lose();
  }

  async #loop(): Promise<void> {
    while (this.#release === null) {
      // What is done at once is not awaited: a turn of the microtask queue for each input is a tenth of a quick run's time.
      for (const input of this.#inputs.take()) {
        const absorbed = this.#absorb(input);
        if (absorbed !== undefined) await absorbed;
      }
      if (this.#release !== null) return;
      if (!this.#commits.isLeaving) {
        if (this.#execution.open.isTiming) await this.#execution.fireTimers(this.#environment.access.clock.earliest());
        this.#keepLimits();
        if (!this.#inputs.isEmpty) continue;
        if (!this.#commits.isInFlight) {
          if (this.#inbox.hasLate && !this.#effects.open) await this.#inbox.recordLate(this.#execution);
          const committed = this.#commit();
          if (committed !== undefined) await committed;
        }
        this.#startEffects();
      }
      if (this.#inputs.isEmpty) await this.#inputs.arrival(this.#alarmDelay());
    }
  }

  /** Until something is due that the storage will not wake the run for. */
  #alarmDelay(): Millis | null {
    const wakeAt = this.#commits.isInFlight || this.#draining ? null : wakeTimeOf(this.#execution);
    return wakeAt === null ? null : wakeAt - this.#environment.access.clock.earliest();
  }

  // What arrives

  #absorb(input: Input): void | Promise<void> {
    if (this.#commits.isLeaving && input.kind !== "committed" && input.kind !== "refused") return;
    const execution = this.#execution;
    switch (input.kind) {
      case "look":
        return;
      case "committed":
        return this.#committed(input.commit, input.result);
      case "refused":
        return this.#refused(input.message);
      case "attempt":
        return this.#attemptEnded(input.ended);
      case "slow":
        return activityScheduled(execution, input.command);
      case "messages":
        return this.#receive(input.messages);
      default:
        return recordOutcome(execution, input);
    }
  }

  #attemptEnded(ended: EndedAttempt): void | Promise<void> {
    if (!this.#attempts.end(ended)) return;
    const { command, outcome } = ended;
    const { broken, ending } = this.#execution;
    if (broken !== null || ending !== null) return;
    return "output" in outcome
      ? activityCompleted(this.#execution, command, outcome.output, outcome.cached)
      : this.#attemptFailed(command, outcome.failure);
  }

  async #attemptFailed(command: number, failure: Failure): Promise<void> {
    const { activities } = this.#execution.open;
    const activity = activities.get(command);
    if (activity === undefined) return;
    const { name, attempt, settings } = activity;
    const { runId, workflow } = this.#task.run;
    const { maximumAttempts } = settings.retry;
    await activityFailed(this.#execution, command, failure);
    const next = activities.get(command);
    const delayMs = next === undefined ? null : next.dueAt - this.#execution.time();
    logFailedAttempt(this.#environment.logger, { runId, workflow, name, attempt, maximumAttempts, delayMs }, failure);
  }

  async #receive(messages: readonly StoredMessage[]): Promise<void> {
    const execution = this.#execution;
    for (const message of messages) {
      await this.#inbox.receive(execution, message);
      if (execution.cancelRequested === null) continue;
      this.#attempts.abort("The run was cancelled.", (command) => execution.open.activities.has(command));
    }
  }

  /** Ends a run whose time is up, or whose history is too long. */
  #keepLimits(): void {
    const { access, codec, historyLimits } = this.#environment;
    const { deadlineAt } = this.#task.run;
    const execution = this.#execution;
    if (deadlineAt !== null && deadlineAt <= access.clock.earliest()) execution.endBy(timedOut(codec));
    if (execution.ending === null) execution.ending = tooLong(codec, historyLimits, execution.run, execution.head);
  }

  // What is committed

  #commit(): void | Promise<void> {
    const execution = this.#execution;
    const { broken, fresh, ending, stuck } = execution;
    if (broken?.code === "determinism") return this.#block();
    const { limits } = this.#environment.access.storage.info;
    const { durable } = this.#commits;
    const count = firstThatFit(fresh, limits, (at) => execution.taskChanges.bytesAt(durable + 1 + at));
    if (count < fresh.length) {
      execution.fresh = fresh.slice(count);
      const upTo = durable + count;
      const events = fresh.slice(0, count);
      const run = execution.takeRunFields(upTo);
      return this.#send({ events, run, next: { do: "hold" } }, this.#inbox.ackedBy(upTo));
    }
    if (broken !== null || stuck) return this.#block();
    if (ending !== null && !this.#effects.open) {
      if (ending.status !== "continued") return this.#close(ending);
      if (!this.#effects.childToTell) return this.#continue(ending);
    }
    const hold = ending !== null || this.#isBusy();
    if (hold && fresh.every(({ type }) => isRemark(type))) return;
    execution.fresh = [];
    this.#send({
      events: fresh,
      run: execution.takeRunFields(),
      next: hold ? { do: "hold" } : { do: "park", wakeAt: this.#parkUntil() },
    });
  }

  /** Something is to be done here that nobody else should start. */
  #isBusy(): boolean {
    if (this.#attempts.size > 0 || this.#effects.open || this.#effects.childToTell) return true;
    if (this.#draining) return false;
    const now = this.#environment.access.clock.earliest();
    for (const { dueAt, task } of this.#execution.open.activities.values())
      if (task === null && dueAt <= now) return true;
    return false;
  }

  /** A drain gives the run to whoever is free. */
  #parkUntil(): Millis | null {
    return this.#draining ? this.#environment.access.clock.earliest() : wakeTimeOf(this.#execution);
  }

  /** Ends a generation and begins the next: its code runs ahead in memory, as all code does. */
  async #continue(continuation: Continuation): Promise<void> {
    const isLeaving = ++this.#generations === GENERATIONS_HELD;
    const { events, fields, begin } = turnOver(this.#environment, this.#execution, continuation);
    this.#send({
      events,
      run: fields,
      next: isLeaving ? { do: "park", wakeAt: this.#environment.access.clock.earliest() } : { do: "hold" },
    });
    this.#attempts.startOver("The run has continued as new.");
    if (isLeaving) return;
    const { execution, firstTurn } = begin();
    this.#adopt(execution);
    await firstTurn();
  }

  #close(ending: Ending): void {
    const { codec } = this.#environment;
    const execution = this.#execution;
    const close = closeAfter(codec, ending, this.#unreadRounds);
    const events = [...execution.fresh, terminalEvent(codec, ending, execution.time())];
    execution.fresh = [];
    this.#attempts.abort("The run has closed.");
    this.#inbox.ackAll();
    this.#send({
      events,
      run: execution.takeRunFields(),
      close,
      next: { do: this.#duties(close).length > 0 ? "hold" : "done" },
    });
  }

  #duties(close: NonNullable<Turn["close"]>): readonly NewMessage[] {
    return dutiesOf(this.#environment.codec, this.#task.run, close, this.#execution.open.childrenLeft());
  }

  /** Parks a run that this code cannot carry on, until a deploy may have mended it. */
  #block(): void {
    const execution = this.#execution;
    if (execution.broken === null) execution.breakAsStuck();
    const broken = execution.broken!;
    if (broken.code !== "non-durable-await") return this.#blockAsCommitted(broken);
    this.#attempts.abort("The run is blocked.");
    const next = blockStep(this.#environment, this.#task, broken);
    this.#send({ events: execution.fresh, run: execution.takeRunFields(), next });
  }

  /** The storage will never take what this run has to say. */
  #refused(message: string): void {
    this.#blockAsCommitted({ code: "refused", message });
  }

  /**
   * Parks a run as of its last commit: code that left its history asked for things that must not be recorded. What it had seen
   * since is still in the inbox.
   */
  #blockAsCommitted(why: Parameters<typeof blockStep>[2]): void {
    this.#attempts.abort("The run is blocked.");
    const next = blockStep(this.#environment, this.#task, why);
    this.#send({ events: [], next }, this.#inbox.durable);
  }

  #send(turn: Turn, ackInbox = this.#inbox.acked): void {
    this.#commits.send(this.#execution, turn, ackInbox);
  }

  #committed(commit: WorkflowCommit, result: CommitResult): void | Promise<void> {
    this.#commits.settle(commit, result);
    switch (result.status) {
      case "ok":
      case "duplicate":
        this.#inbox.committed(commit.ackInbox);
        this.#warnOfLength(commit.expectedSeq);
        return this.#applied(commit, result);
      case "unread":
        // Accepted means recorded: the messages go in before the terminal event.
        this.#unreadRounds++;
        this.#execution.restore(commit.events.slice(0, -1));
        return this.#receive(result.messages);
      case "lease-lost":
        this.#release = { to: "lost" };
        return;
      case "invalid":
        // An older claim of this worker's had its last commit in the same batch.
        if (result.code === "second-commit-in-batch") return this.#commits.resend(commit);
        return this.#refused(`The storage refused a commit of run "${this.claim.runId}" as ${result.code}.`);
      case "conflict":
        return this.#fail(refusedByStorage(`a commit of run "${this.claim.runId}"`, result));
    }
  }

  #warnOfLength(before: Seq): void {
    const { logger, historyLimits } = this.#environment;
    const { run } = this.#execution;
    const { durable: after } = this.#commits;
    if (after - run.baseSeq >= historyLimits.warn) warnOfLength(logger, historyLimits, run, { before, after });
  }

  #applied(commit: WorkflowCommit, result: AppliedResult): void | Promise<void> {
    const release = releaseBy(commit, result);
    const { codec, logger } = this.#environment;
    if (commit.close?.status === "failed") logFailedRun(logger, codec, this.#task.run, commit.close.failure!);
    if (release !== null) this.#release = release;
    else if (commit.close !== undefined) return this.#finish(commit.close);
    else if (result.messages.length > 0) return this.#receive(result.messages);
  }

  /** The terminal event is durable: tells whom it concerns, then removes the task. */
  async #finish(close: NonNullable<Turn["close"]>): Promise<void> {
    if (!this.#provesLease()) return;
    const duties = this.#duties(close);
    await Promise.all(duties.map((message) => this.#environment.access.deliver(message)));
    this.#send({ events: [], next: { do: "done" } });
  }

  // What is carried out

  /** Asked before each effect: without proof the run is given up. */
  #provesLease(): boolean {
    if (!this.lease.proven) this.lose();
    return this.lease.proven;
  }

  #startEffects(): void {
    const execution = this.#execution;
    if (this.#release !== null || this.#commits.isLeaving || execution.broken !== null) return;
    if (!this.#provesLease()) return;
    const { durable } = this.#commits;
    this.#effects.start(durable);
    if (execution.ending !== null || this.#draining) return;
    const { wentOut, isCrowded } = startActivities(this.#environment, execution, this.#attempts, durable);
    this.#isCrowded = isCrowded;
    if (wentOut) this.#lookAgain();
  }
}
