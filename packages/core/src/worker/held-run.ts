import { firstThatFit } from "../batch/first-that-fit.ts";
import { loadInheritance } from "../batch/load-inheritance.ts";
import { dutiesOf } from "../engine/closing.ts";
import { closeOf, terminalEvent, timedOut, type Continuation, type Ending } from "../engine/ending.ts";
import { Execution } from "../engine/execution.ts";
import type { OpenActivity } from "../engine/open-command.ts";
import { workflowBody } from "../engine/workflow-body.ts";
import { isRemark } from "../model/event.ts";
import type { InboxNo, Millis, Seq } from "../model/ids.ts";
import type { CommitResult, NextStep, WorkflowCommit } from "../storage/commit.ts";
import type { NewEvent } from "../storage/event.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { Claim, ClaimedWorkflowTask, RenewResult } from "../storage/task.ts";
import { Attempts, type EndedAttempt } from "./attempts.ts";
import { UsageError } from "../errors/index.ts";
import { blockStep } from "./block-run.ts";
import { GENERATIONS_HELD, turnOver } from "./continue-run.ts";
import { Effects, type EffectOutcome } from "./effects.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Held } from "./held.ts";
import { tooLong, warnOfLength } from "./history-limits.ts";
import type { Lease } from "./lease.ts";
import { isTermination, receiveMessage } from "./receive-message.ts";
import type { Release } from "./release.ts";

/** What reaches a held run, one at a time. */
type Input =
  | { readonly kind: "attempt"; readonly ended: EndedAttempt }
  | { readonly kind: "slow"; readonly command: number }
  | { readonly kind: "messages"; readonly messages: readonly StoredMessage[] }
  | { readonly kind: "committed"; readonly commit: WorkflowCommit; readonly result: CommitResult }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "look" }
  | EffectOutcome;

/** How often a closing run records messages that came at the last moment before it closes over them. */
const MAX_UNREAD_ROUNDS = 3;

/**
 * A run whose claim this worker holds: turns what arrives into events, lets the code answer, commits, and carries out what the code
 * asked for once everything before it is durable. One commit is in flight at a time; the code runs ahead of it in memory. Whatever
 * refuses a commit throws this object and its execution away.
 */
export class HeldRun implements Held {
  readonly claim: Claim;
  readonly lease: Lease;
  readonly #environment: WorkerEnvironment;
  readonly #task: ClaimedWorkflowTask;
  readonly #attempts: Attempts;
  #execution!: Execution;
  #effects!: Effects;
  #inputs: Input[] = [];
  #wake: (() => void) | null = null;
  #alarm: (() => void) | null = null;
  /** History is acknowledged up to here. */
  #durable: Seq;
  /** Messages up to here are events in memory, or dropped. */
  #acked: InboxNo;
  /** Messages up to here were looked at. */
  #seen: InboxNo;
  /** Came after a termination, and waits for its end. */
  readonly #late: StoredMessage[] = [];
  /** Messages up to here are acknowledged. */
  #ackedDurable: InboxNo;
  /** Messages in between, and the seq of the event that each has become. */
  #received: { readonly no: InboxNo; readonly seq: Seq }[] = [];
  /** Commands that an earlier holder may have begun to execute. */
  readonly #known = new Set<number>();
  #inFlight = false;
  /** The commit in flight gives the claim up: what arrives now is for the next holder. */
  #leaving = false;
  #listening = false;
  /** An activity waits for a slot. */
  #crowded = false;
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
    this.#durable = task.lastSeq;
    this.#seen = this.#acked = this.#ackedDurable = task.inboxAcked;
    this.#attempts = new Attempts(environment, task.claim, {
      ended: (ended) => this.#push({ kind: "attempt", ended }),
      slotFree: () => this.#push({ kind: "look" }),
    });
  }

  /**
   * Holds the run until it parks, ends, or is lost.
   * @throws what made it impossible to go on: the storage, an unreadable history
   */
  async drive(): Promise<Release> {
    try {
      await this.#load();
      for (const message of this.#task.messages) await this.#receive(message);
      await this.#loop();
    } finally {
      this.#alarm?.();
      this.#attempts.abort("The run has left this worker.");
      if (this.#listening) this.#environment.hints()?.delete({ of: "inbox", runId: this.claim.runId });
    }
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#release!.to === "parked" && this.#execution.fresh.length === 0) {
      this.#environment.cache.put(this.claim.taskId, { execution: this.#execution, lastSeq: this.#durable });
    }
    return this.#release!;
  }

  renewed(result: RenewResult, sentAt: number): void {
    if (result.status === "lost") return this.lose();
    this.lease.renewed(sentAt);
    if (result.messages.length > 0) this.#push({ kind: "messages", messages: result.messages });
  }

  lose(): void {
    this.#release ??= { to: "lost" };
    this.#attempts.abort("This worker can no longer prove that it owns the run.");
    this.#push({ kind: "look" });
  }

  drain(hard: boolean): void {
    this.#draining = true;
    if (hard) this.#attempts.abort("The worker is stopping.");
    this.#push({ kind: "look" });
  }

  /** From the first slow attempt on, or the first wait for a slot, the run listens to its inbox. */
  noticeSlow(startedBefore: number): boolean {
    let isSlow = this.#crowded;
    for (const command of this.#attempts.slow(startedBefore)) {
      isSlow = true;
      if (this.#execution.open.activities.get(command)?.recorded === false) this.#push({ kind: "slow", command });
    }
    if (this.#listening || !isSlow) return false;
    this.#listening = true;
    this.#environment.hints()?.add({ of: "inbox", runId: this.claim.runId });
    return true;
  }

  async #load(): Promise<void> {
    const { run, claim, lastSeq, events } = this.#task;
    const { runId, incarnation, baseSeq } = run;
    const { access, registry, codec, cache, runtime, logger, serves } = this.#environment;
    const cached = cache.take(claim.taskId);
    if (cached !== undefined && cached.lastSeq <= lastSeq && cached.execution.run.baseSeq === baseSeq) {
      this.#adopt(cached.execution);
      const missed =
        cached.lastSeq < lastSeq ? await access.readAll({ runId, incarnation, after: cached.lastSeq }) : [];
      await this.#execution.replay(missed);
      if (missed.length > 0) this.#suspect();
    } else {
      const environment = {
        codec,
        logger,
        settle: runtime.settle,
        random: runtime.random,
        turnTime: () => access.clock.latest(),
        serves,
      };
      const execution = new Execution(run, workflowBody(registry.workflow(run.workflow)!), environment);
      this.#adopt(execution);
      const recorded = events ?? (await access.readAll({ runId, incarnation, after: baseSeq }));
      execution.inherit(await loadInheritance(access, codec, run, recorded[0]));
      await execution.replay(recorded);
      if (claim.epoch > 1) this.#suspect();
    }
  }

  #adopt(execution: Execution): void {
    this.#execution = execution;
    this.#effects = new Effects(this.#environment, execution, this.lease, {
      done: (outcome) => this.#push(outcome),
      failed: (error) => this.#fail(error),
    });
  }

  /** Somebody else held the run last, and may have executed what is open now. */
  #suspect(): void {
    for (const command of this.#execution.open.activities.keys()) this.#known.add(command);
  }

  async #loop(): Promise<void> {
    while (this.#release === null) {
      const inputs = this.#inputs;
      this.#inputs = [];
      for (const input of inputs) await this.#absorb(input);
      if (this.#release !== null) return;
      if (!this.#leaving) {
        if (this.#execution.open.isTiming) await this.#execution.fireTimers(this.#environment.access.clock.earliest());
        this.#timeOut();
        this.#limitHistory();
        if (this.#inputs.length > 0) continue;
        if (!this.#inFlight) {
          if (this.#late.length > 0 && !this.#effects.open) await this.#recordLate();
          await this.#commit();
        }
        this.#startEffects();
      }
      if (this.#inputs.length === 0) await this.#pause();
    }
  }

  /** Sleeps until something arrives, or something is due that the storage will not wake the run for. */
  #pause(): Promise<void> {
    const wakeAt = this.#inFlight || this.#draining ? null : this.#wakeAt();
    if (wakeAt !== null) {
      const { access, runtime } = this.#environment;
      this.#alarm = runtime.after(wakeAt - access.clock.earliest(), () => this.#push({ kind: "look" }));
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #push(input: Input): void {
    this.#inputs.push(input);
    const wake = this.#wake;
    if (wake === null) return;
    this.#wake = null;
    this.#alarm?.();
    this.#alarm = null;
    wake();
  }

  // What arrives

  async #absorb(input: Input): Promise<void> {
    if (this.#leaving && input.kind !== "committed" && input.kind !== "refused") return;
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
        return execution.activityScheduled(input.command);
      case "messages":
        for (const message of input.messages) await this.#receive(message);
        return;
      case "child-created":
        if (input.failure !== null) return execution.childFailed(input.command, input.failure);
        return execution.childStarted(input.command);
      case "child-told":
        input.child.cancelSent = true;
        return;
      case "sent":
        return execution.signalDelivered(input.command, input.status);
    }
  }

  async #attemptEnded(ended: EndedAttempt): Promise<void> {
    if (!this.#attempts.end(ended)) return;
    const { command, outcome } = ended;
    const { broken, ending } = this.#execution;
    if (broken !== null || ending !== null) return;
    if ("output" in outcome) await this.#execution.activityCompleted(command, outcome.output, outcome.cached);
    else await this.#execution.activityFailed(command, outcome.failure);
  }

  async #receive(message: StoredMessage): Promise<void> {
    const execution = this.#execution;
    if (message.no <= this.#seen || execution.broken !== null) return;
    this.#seen = message.no;
    // A termination is no event: it is acknowledged with the end that it brings, and so is what comes after it.
    if (execution.ending?.status === "cancelled" && execution.ending.terminated) {
      this.#late.push(message);
      return;
    }
    // Timers and messages merge by time, the message first.
    await execution.fireTimers(message.at - 1);
    if (isTermination(this.#environment.codec, message)) return receiveMessage(this.#environment, execution, message);
    this.#acked = message.no;
    this.#received.push({ no: message.no, seq: execution.head + 1 });
    await receiveMessage(this.#environment, execution, message);
    if (execution.cancelRequested !== null) {
      this.#attempts.abort("The run was cancelled.", (command) => execution.open.activities.has(command));
    }
  }

  /** Accepted means recorded, also after a termination: right before the terminal event, in its commit. */
  async #recordLate(): Promise<void> {
    for (const message of this.#late.splice(0)) await receiveMessage(this.#environment, this.#execution, message);
  }

  #timeOut(): void {
    const { deadlineAt } = this.#task.run;
    const { access, codec } = this.#environment;
    if (deadlineAt !== null && deadlineAt <= access.clock.earliest()) this.#execution.endBy(timedOut(codec));
  }

  #limitHistory(): void {
    const { codec, historyLimits } = this.#environment;
    const { head, run, ending } = this.#execution;
    const length = head - run.baseSeq;
    if (ending === null && length >= historyLimits.fail) this.#execution.endBy(tooLong(codec, run, length));
  }

  // What is committed

  #commit(): void | Promise<void> {
    const execution = this.#execution;
    const { broken, fresh, ending, stuck } = execution;
    if (broken?.code === "determinism") return this.#block();
    const count = firstThatFit(fresh, this.#environment.access.storage.info.limits);
    if (count < fresh.length) {
      execution.fresh = fresh.slice(count);
      // A message is acknowledged in the very commit that has its event (I18).
      const recorded = this.#received.findLast(({ seq }) => seq <= this.#durable + count);
      const ackInbox = recorded?.no ?? this.#ackedDurable;
      return this.#send(fresh.slice(0, count), { do: "hold" }, execution.takeRunFields(), undefined, ackInbox);
    }
    if (broken !== null || stuck) return this.#block();
    if (ending !== null && !this.#effects.open) {
      if (ending.status !== "continued") return this.#close(ending);
      if (!this.#effects.childToTell) return this.#continue(ending);
    }
    const hold = ending !== null || this.#busy();
    if (hold && fresh.every(({ type }) => isRemark(type))) return;
    execution.fresh = [];
    this.#send(fresh, hold ? { do: "hold" } : { do: "park", wakeAt: this.#parkUntil() }, execution.takeRunFields());
  }

  /** Something is to be done here that nobody else should start. */
  #busy(): boolean {
    if (this.#attempts.size > 0 || this.#effects.open || this.#effects.childToTell) return true;
    if (this.#draining) return false;
    const now = this.#environment.access.clock.earliest();
    for (const { dueAt, task } of this.#execution.open.activities.values())
      if (task === null && dueAt <= now) return true;
    return false;
  }

  /** A drain gives the run to whoever is free. */
  #parkUntil(): Millis | null {
    return this.#draining ? this.#environment.access.clock.earliest() : this.#wakeAt();
  }

  #wakeAt(): Millis | null {
    if (this.#execution.ending !== null) return null;
    const dueAt = this.#execution.open.nextDueAt();
    const { deadlineAt } = this.#task.run;
    if (dueAt === null || deadlineAt === null) return dueAt ?? deadlineAt;
    return Math.min(dueAt, deadlineAt);
  }

  /** Ends a generation and begins the next: its code runs ahead in memory, as all code does. */
  async #continue(continuation: Continuation): Promise<void> {
    const isLeaving = ++this.#generations === GENERATIONS_HELD;
    const { events, fields, begin } = turnOver(this.#environment, this.#execution, continuation);
    this.#send(
      events,
      isLeaving ? { do: "park", wakeAt: this.#environment.access.clock.earliest() } : { do: "hold" },
      fields,
    );
    if (isLeaving) return this.#attempts.abort("The run has continued as new.");
    const { execution, firstTurn } = begin();
    this.#adopt(execution);
    this.#attempts.abort("The run has continued as new.");
    this.#known.clear();
    await firstTurn();
  }

  #close(ending: Ending): void {
    const { codec } = this.#environment;
    const execution = this.#execution;
    const events = [...execution.fresh, terminalEvent(codec, ending, execution.time())];
    execution.fresh = [];
    this.#attempts.abort("The run has closed.");
    const discardUnread = this.#unreadRounds >= MAX_UNREAD_ROUNDS;
    const close = { ...closeOf(codec, ending), ...(discardUnread && { discardUnread }) };
    this.#acked = this.#seen;
    this.#send(events, { do: this.#duties(ending).length > 0 ? "hold" : "done" }, execution.takeRunFields(), close);
  }

  #duties(ending: Ending): ReturnType<typeof dutiesOf> {
    const { codec } = this.#environment;
    const { open } = this.#execution;
    if (this.#task.run.parent === null && open.children.size + open.inherited.size === 0) return [];
    const { status, failure } = closeOf(codec, ending);
    return dutiesOf(codec, this.#task.run, { status, failure }, open.childrenLeft());
  }

  /** Parks a run that this code cannot carry on, until a deploy may have mended it. */
  #block(): void {
    const execution = this.#execution;
    if (execution.broken === null) execution.breakAsStuck();
    this.#attempts.abort("The run is blocked.");
    const next = blockStep(this.#environment, this.#task, execution.broken!);
    if (execution.broken!.code === "non-durable-await") this.#send(execution.fresh, next, execution.takeRunFields());
    // Code that left its history asked for things that must not be recorded; what it had seen is still in the inbox.
    else this.#send([], next, undefined, undefined, this.#ackedDurable);
  }

  /** The storage will never take what this run has to say: it stays as of its last commit. */
  #refused(message: string): void {
    this.#attempts.abort("The run is blocked.");
    const next = blockStep(this.#environment, this.#task, { code: "refused", message });
    this.#send([], next, undefined, undefined, this.#ackedDurable);
  }

  #send(
    events: readonly NewEvent[],
    next: NextStep,
    run?: WorkflowCommit["run"],
    close?: WorkflowCommit["close"],
    ackInbox = this.#acked,
  ): void {
    const commit: WorkflowCommit = {
      kind: "workflow",
      claim: this.claim,
      commitId: this.#environment.runtime.id(),
      expectedSeq: this.#durable,
      events,
      ackInbox,
      // A run that closes takes its tasks with it.
      ...(close === undefined && this.#execution.taskChanges.take(this.#durable + events.length)),
      ...(run !== undefined && { run }),
      ...(close !== undefined && { close }),
      next,
    };
    this.#submit(commit);
  }

  #submit(commit: WorkflowCommit): void {
    this.#inFlight = true;
    this.#leaving = commit.next.do !== "hold";
    this.#environment.access.commit(commit).then(
      (result) => this.#push({ kind: "committed", commit, result }),
      (error: unknown) => {
        if (error instanceof UsageError && commit.next.do !== "block")
          this.#push({ kind: "refused", message: error.message });
        else this.#fail(error);
      },
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.lose();
  }

  async #committed(commit: WorkflowCommit, result: CommitResult): Promise<void> {
    this.#inFlight = false;
    this.#leaving = false;
    switch (result.status) {
      case "ok":
      case "duplicate":
        this.#durable += commit.events.length;
        this.#warnOfLength(commit.expectedSeq);
        this.#ackedDurable = commit.ackInbox;
        this.#received = this.#received.filter(({ no }) => no > commit.ackInbox);
        return this.#applied(commit, result);
      case "unread":
        // Accepted means recorded: the messages go in before the terminal event.
        this.#unreadRounds++;
        this.#execution.restore(commit.events.slice(0, -1), commit.run);
        for (const message of result.messages) await this.#receive(message);
        return;
      case "lease-lost":
        this.#release = { to: "lost" };
        return;
      case "invalid":
        // An older claim of this worker's had its last commit in the same batch.
        if (result.code === "second-commit-in-batch") return this.#submit(commit);
        return this.#refused(`The storage refused a commit of run "${this.claim.runId}" as ${result.code}.`);
      case "conflict":
        return this.#fail(
          new Error(`The storage refused a commit of run "${this.claim.runId}": ${JSON.stringify(result)}`),
        );
    }
  }

  #warnOfLength(durableBefore: Seq): void {
    const { logger, historyLimits } = this.#environment;
    const { run } = this.#execution;
    const { baseSeq } = run;
    warnOfLength(logger, historyLimits, run, { before: durableBefore - baseSeq, after: this.#durable - baseSeq });
  }

  async #applied(commit: WorkflowCommit, result: Extract<CommitResult, { now: Millis }>): Promise<void> {
    const { next, ackInbox, close } = commit;
    if (next.do === "park") {
      const wakeAt = result.inboxLast > ackInbox ? result.now : next.wakeAt;
      this.#release = { to: "parked", wakeAt };
    } else if (next.do === "block") {
      this.#release = { to: "blocked", wakeAt: next.until };
    } else if (next.do === "done") {
      this.#release = { to: "done" };
    } else if (!result.held) {
      this.#release = { to: "lost" };
    } else if (close !== undefined) {
      await this.#finish();
    } else {
      for (const message of result.messages) await this.#receive(message);
    }
  }

  /** The terminal event is durable: tells whom it concerns, then removes the task. */
  async #finish(): Promise<void> {
    if (!this.lease.proven) return this.lose();
    const duties = this.#duties(this.#execution.ending as Ending);
    await Promise.all(duties.map((message) => this.#environment.access.deliver(message)));
    this.#send([], { do: "done" });
  }

  // What is carried out

  #startEffects(): void {
    const execution = this.#execution;
    if (this.#release !== null || this.#leaving || execution.broken !== null) return;
    if (!this.lease.proven) return this.lose();
    this.#effects.start(this.#durable);
    if (execution.ending !== null || this.#draining) return;
    const now = execution.open.activities.size === 0 ? 0 : this.#environment.access.clock.earliest();
    let hasSlot = true;
    for (const activity of execution.open.activities.values()) {
      const { command, task, gate, dueAt } = activity;
      if (task !== null || gate > this.#durable || dueAt > now || this.#attempts.has(command)) continue;
      // From now on it waits for a slot, not for a time.
      activity.dueAt = 0;
      if (!execution.executes(activity)) {
        this.#dispatch(activity);
        continue;
      }
      hasSlot = hasSlot && this.#attempts.start(execution.run, activity, this.#isFirst(activity));
      if (!hasSlot) this.#overflow(activity);
    }
    this.#crowded = !hasSlot;
  }

  /** Nothing of it can have been executed before. */
  #isFirst({ command, attempt, recorded }: OpenActivity): boolean {
    return attempt === 1 && !recorded && !this.#known.has(command);
  }

  /** No slot is free here: what others can execute goes out to them. */
  #overflow(activity: OpenActivity): void {
    const { name, recorded, input } = activity;
    if (recorded || input === null || this.#environment.registry.activity(name) === undefined) return;
    this.#dispatch(activity);
  }

  #dispatch({ command }: OpenActivity): void {
    this.#execution.activityDispatched(command);
    this.#push({ kind: "look" });
  }
}
