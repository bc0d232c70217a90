import { encodeAs } from "../codec/encode-as.ts";
import type { Codec } from "../codec/codec.ts";
import { sealData, type SealedValues } from "../codec/envelope.ts";
import { CancelledError, isPerdureError, type DeterminismError } from "../errors/index.ts";
import { type EventData, type EventType, isRemark, type WorkflowEvent } from "../model/event.ts";
import type { Millis, Seq } from "../model/ids.ts";
import type { Logger } from "../model/logger.ts";
import type { Attributes, RunHeader } from "../model/run.ts";
import { toFailure } from "../model/to-failure.ts";
import type { WorkflowCommit } from "../storage/commit.ts";
import type { NewEvent, StoredEvent } from "../storage/event.ts";
import { openTasks } from "./activity-task.ts";
import type { Asked, CommandLog } from "./command-log.ts";
import { differentCommand, endedAlready, missingCommand, nonDurableAwait, unrecordedCommand } from "./determinism.ts";
import type { Continuation, Ending } from "./ending.ts";
import type { Inheritance } from "./open-command.ts";
import { OpenCommands } from "./open-commands.ts";
import { openEvent } from "./open-event.ts";
import { OwedCancel } from "./owed-cancel.ts";
import { isAbout, RecordedCommands } from "./recorded-commands.ts";
import { RowChanges } from "./row-changes.ts";
import { StateObject } from "./state-object.ts";
import { TaskChanges } from "./task-changes.ts";
import { thrownInto } from "./thrown-into-code.ts";

/** What an execution needs from outside: nothing else reaches it. */
export interface ExecutionEnvironment {
  readonly codec: Codec;
  readonly logger: Logger;
  /** See Runtime.settle. */
  readonly settle: () => Promise<void>;
  /** For jitter; what is drawn is recorded. */
  readonly random: () => number;
  /** The turn's time: the storage's clock, as well as this process knows it. */
  readonly turnTime: () => Millis;
  /** Whether activities of this queue are executed here; those of others go out as tasks. */
  readonly serves: (queue: string) => boolean;
}

/** The workflow's code, as an execution runs it. */
export interface WorkflowBody {
  /** @throws UsageError `invalid-input` */
  checkInput(input: unknown): unknown;
  initialState(input: unknown): unknown;
  /** Throws UsageError `invalid-input` for a state that the workflow's schema refuses; `null`: it has none. */
  readonly checkState: ((state: unknown) => void) | null;
  run(execution: Execution, input: unknown): Promise<unknown>;
}

/**
 * One generation of a run in memory. It is driven by events, one at a time: the code runs until it is quiet before it sees the
 * next, so that how its branches interleave follows from history alone. What it asks for becomes commands, numbered in call order;
 * new events gather in `fresh` until somebody commits them. Pure: no clock, no randomness, no I/O of its own.
 */
export class Execution implements CommandLog {
  readonly run: RunHeader;
  readonly environment: ExecutionEnvironment;
  readonly state: StateObject;
  readonly open = new OpenCommands((error) => thrownInto(this, error));
  /** Seq of the newest event, recorded or fresh. */
  head: Seq;
  /** Seq of the newest event that has to be durable before anything follows from it. */
  gate: Seq;
  /** The `at` of the event that the code answers to. */
  now: Millis;
  /** Events that nobody has taken for a commit yet. */
  fresh: NewEvent[] = [];
  /** What the fresh events say about activity tasks. */
  readonly taskChanges = new TaskChanges();
  /** Set by the code's end; the event that records it is not among `fresh`. */
  ending: Ending | Continuation | null = null;
  /** The run cannot go on with this code. */
  broken: DeterminismError | null = null;
  cancelRequested: { readonly reason: string | undefined } | null = null;
  readonly owedCancel = new OwedCancel();
  /** What `ctx.patched` has answered. */
  readonly patches = new Map<string, boolean>();
  /** What the code does now was done before, by itself or by another execution of the run. */
  replaying = false;
  attributes: Attributes = {};
  /** Incarnations of the runs that the history which is not delivered yet was copied from: see {@link ReplayedRandom}. */
  readonly origins: string[] = [];
  /** 1, and one more for each continue-as-new. */
  generation = 1;

  readonly #body: WorkflowBody;
  readonly #commands = new RecordedCommands();
  readonly #attributeChanges = new RowChanges<Attributes>();
  #inTurn = false;
  #lastAt: Millis = 0;
  /** Seq of the event that is delivered again; `null` for one that is recorded now. */
  #delivered: Seq | null = null;
  /** Seq of the event that the code answers to. */
  #answered: Seq = 0;

  constructor(run: RunHeader, body: WorkflowBody, environment: ExecutionEnvironment) {
    this.run = run;
    this.#body = body;
    this.environment = environment;
    this.head = this.gate = run.baseSeq;
    this.now = run.createdAt;
    this.state = new StateObject(this);
  }

  /** Nothing that is open can ever wake the code. */
  get stuck(): boolean {
    return this.ending === null && this.open.isEmpty;
  }

  /** Events of this generation up to the one that the code answers to: the same in every replay. */
  get historyLength(): number {
    return this.#answered - this.run.baseSeq;
  }

  /** The time of an event that is recorded now: history does not go back. */
  time(): Millis {
    return Math.max(this.#lastAt, this.environment.turnTime());
  }

  /** The code waits for something that nothing recorded can bring. */
  breakAsStuck(): void {
    this.broken = nonDurableAwait(this.run);
  }

  /** The fields of the run row that events up to this seq have changed, since the last call or since a commit that was refused. */
  takeRunFields(upTo: Seq = this.head): WorkflowCommit["run"] {
    const state = this.state.takeSnapshot(upTo);
    const attributes = this.#attributeChanges.take(upTo).at(-1);
    if (state === undefined && attributes === undefined) return undefined;
    return { ...(state !== undefined && { state }), ...(attributes !== undefined && { attributes }) };
  }

  /** Puts back what a refused commit carried. */
  restore(events: readonly NewEvent[]): void {
    this.fresh = [...events, ...this.fresh];
    this.state.changes.restore();
    this.#attributeChanges.restore();
  }

  /** Takes over what the generations before have left, before anything is delivered. */
  inherit({ signals, children }: Inheritance): void {
    for (const signal of signals) this.open.receive(signal);
    for (const child of children) this.open.inherited.set(child.seq, { ...child });
  }

  /** Ends the run whatever its code does, if it has not ended: code that continues as new has not. */
  endBy(ending: Ending): void {
    if (this.ending === null || this.ending.status === "continued") this.ending = ending;
  }

  // What is recorded: each event is delivered again.

  /** Delivers recorded events, which follow what this execution knows without a gap. `isOver`: the code came to its end in them. */
  async replay(events: readonly StoredEvent[], { isOver = false } = {}): Promise<void> {
    this.#commands.isOver = isOver;
    const opened = events.map((event) => openEvent(this.environment.codec, event));
    for (const event of opened) {
      if (event.type === "FORKED") this.origins.push(event.data.origin ?? event.data.fromIncarnation);
      this.#commands.load(event);
    }
    const last = opened.length - 1;
    this.gate = this.head += opened.length;
    for (let at = 0; at <= last && this.broken === null; at++) {
      this.replaying = at < last;
      this.#delivered = opened[at]!.seq;
      await this.#deliver(opened[at]!);
    }
    this.replaying = false;
    this.#delivered = null;
  }

  async #deliver(event: WorkflowEvent): Promise<void> {
    this.#commands.passMark(event);
    if (this.#commands.isAhead(event)) {
      this.broken = this.stuck ? nonDurableAwait(this.run) : missingCommand(this.run, event, this.ending !== null);
      return;
    }
    this.#lastAt = Math.max(this.#lastAt, event.at);
    const { open } = this;
    const command = event.command ?? 0;
    switch (event.type) {
      case "WORKFLOW_STARTED":
        this.attributes = event.data.attributes ?? {};
        return this.turn(event.at, () => this.#start(this.environment.codec.decode(this.run.input)));
      case "WORKFLOW_CONTINUED_AS_NEW":
        this.#continue(event.data);
        return this.turn(event.at, () => this.#start(event.data.input));
      case "SIGNAL_RECEIVED":
        return this.turn(event.at, () => open.receive({ ...event.data, seq: event.seq }));
      case "CANCEL_REQUESTED":
        return this.turn(event.at, () => this.#cancel(event.data.reason));
      case "ACTIVITY_SCHEDULED":
        return open.activityScheduled(command, event.data.where === "task" ? event.seq : null);
      case "ACTIVITY_RETRYING":
        return open.activityRetrying(command, event.data.attempt + 1, event.data.dueAt);
      case "ACTIVITY_COMPLETED":
        return this.turn(event.at, () => open.activityCompleted(command, event.data.output));
      case "ACTIVITY_FAILED":
        return this.turn(event.at, () => open.activityFailed(command, event.data.attempt, event.data.failure));
      case "TIMER_FIRED":
        return this.turn(event.at, () => open.fire(command));
      case "CHILD_STARTED":
        return open.childStarted(command);
      case "CHILD_COMPLETED":
        if (event.command === null) return open.inheritedClosed(event.data.scheduled);
        return this.turn(event.at, () => open.childCompleted(command, event.data.output));
      case "CHILD_FAILED":
        if (event.command === null) return open.inheritedClosed(event.data.scheduled);
        return this.turn(event.at, () => open.childFailed(command, event.data.failure));
      case "SIGNAL_DELIVERED":
        return this.turn(event.at, () => open.sent(command, event.data.status));
      case "WORKFLOW_COMPLETED":
      case "WORKFLOW_FAILED":
      case "WORKFLOW_CANCELLED":
      case "STEP_STARTED":
      case "STEP_COMPLETED":
      case "STATE_SET":
      case "STATE_UPDATE":
      case "TIMER_STARTED":
      case "TIMER_CANCELLED":
      case "SIGNAL_AWAITED":
      case "SIGNAL_SENT":
      case "CHILD_SCHEDULED":
      case "SIDE_EFFECT_RECORDED":
      case "VERSION_MARKED":
      case "ATTRIBUTES_SET":
        return;
      case "FORKED":
        this.origins.shift();
        return;
      default:
        event satisfies never;
    }
  }

  // What happens: each appends an event and lets the code answer to it. See also activity-events.ts and child-events.ts.

  async signalReceived(signal: string, payload: unknown, encoded: SealedValues, id: string): Promise<void> {
    const at = this.append("SIGNAL_RECEIVED", null, { signal, id }, encoded);
    const { head: seq } = this;
    await this.turn(at, () => this.open.receive({ seq, signal, payload }));
  }

  /** Only the first request counts (I17). */
  async cancelReceived(reason: string | undefined): Promise<void> {
    if (this.cancelRequested !== null) return;
    if (this.ending !== null && this.ending.status !== "continued") return;
    const { shielded } = this.open;
    const tasks = openTasks(this.run, this.open.activities.values());
    const at = this.append("CANCEL_REQUESTED", null, { reason, ...(shielded.length > 0 && { shielded }) });
    const seq = this.head;
    await this.turn(at, () => this.#cancel(reason));
    const kept = openTasks(this.run, this.open.activities.values());
    this.taskChanges.cancel(
      seq,
      tasks.filter((taskId) => !kept.includes(taskId)),
    );
  }

  /** Fires what is due by `now`, one at a time (I10). */
  async fireTimers(now: Millis): Promise<void> {
    for (const command of this.open.due(now)) {
      if (this.broken !== null || this.ending !== null) return;
      if (!this.open.isTimed(command)) continue;
      const at = this.append("TIMER_FIRED", command, {});
      await this.turn(at, () => this.open.fire(command));
    }
  }

  async signalDelivered(command: number, status: EventData["SIGNAL_DELIVERED"]["status"]): Promise<void> {
    if (!this.open.sends.has(command)) return;
    const at = this.append("SIGNAL_DELIVERED", command, { status });
    await this.turn(at, () => this.open.sent(command, status));
  }

  // What the code asks for: used by its context alone.

  /**
   * Numbers the code's next command and finds what history has for it.
   * Answers `null` when the code must not go on: history has something else, or the run has ended.
   */
  ask<T extends EventType>(types: readonly T[], name: string): Asked<T> | null {
    if (!this.#mayAsk()) return null;
    const asked = this.#commands.next(types, name);
    const { recorded } = asked;
    if (recorded === undefined) return asked as Asked<T>;
    if (!isAbout(recorded, types, name)) {
      this.broken = differentCommand(this.run, recorded, name === "" ? types[0]! : `${types[0]!} "${name}"`);
      return null;
    }
    return asked as Asked<T>;
  }

  /**
   * {@link ask} for a command that is answered at once.
   * @throws DeterminismError when history has something else. UsageError `outside-workflow` when the run has ended.
   */
  askNow<T extends EventType>(types: readonly T[], name: string): Asked<T> {
    const asked = this.ask(types, name);
    if (asked === null) throw thrownInto(this, this.broken ?? endedAlready(this.run));
    return asked;
  }

  /**
   * {@link askNow} for what the code did not always ask for. Answers `null`, and takes no number, when history goes on without it.
   */
  askUnlessPast<T extends EventType>(types: readonly T[], name: string): Asked<T> | null {
    if (this.#mayAsk() && this.#commands.goesOnWithout(types, name)) return null;
    return this.askNow(types, name);
  }

  #mayAsk(): boolean {
    if (this.broken !== null || this.ending !== null) return false;
    if (!this.#inTurn) this.broken = nonDurableAwait(this.run);
    return this.#inTurn;
  }

  /** Appends the record of a command that the code has just asked for. Answers its seq. */
  record<T extends EventType>(
    type: T,
    command: number,
    plain: Omit<EventData[T], keyof SealedValues>,
    values?: SealedValues,
  ): Seq {
    // Such commands are recorded in the order of asking: history would have this one if it were the code's.
    if (command < this.#commands.last) this.broken ??= unrecordedCommand(this.run, command, { type, data: plain });
    if (this.broken === null) this.append(type, command, plain, values);
    return this.head;
  }

  /**
   * Ends this generation: what the code asks for from here on is not carried out, and the next one begins with this input.
   * @throws UsageError `invalid-input`, `not-serializable`; `outside-workflow` when the code has ended
   */
  continueAsNew(input: unknown): void {
    if (this.ending !== null) throw endedAlready(this.run);
    const { codec } = this.environment;
    const encoded = encodeAs(codec, this.#body.checkInput(input), "input of workflow", this.run.workflow);
    const initial = this.#body.initialState(codec.decode(encoded));
    const state = initial === undefined ? null : codec.encode(initial);
    if (this.broken !== null) return;
    if (this.#inTurn) {
      this.ending = { status: "continued", input: encoded, state };
      // A signal that arrives from here on is for the next generation (I18).
      this.open.waits.clear();
    } else this.broken = nonDurableAwait(this.run);
  }

  /** `fresh`: the seq of the event that records them, if it is new. */
  mergeAttributes(attributes: Attributes, fresh: Seq | null): void {
    this.attributes = { ...this.attributes, ...attributes };
    if (fresh !== null) this.#attributeChanges.add(fresh, this.attributes);
  }

  // How the code is moved

  /** Lets the code answer to one event. `deliver` says whether it has anything to answer to. */
  async turn(at: Millis, deliver: () => boolean): Promise<void> {
    if (this.ending !== null) {
      // The code is not asked any more, but what is open still gets its one outcome.
      this.open.silence();
      deliver();
      return;
    }
    this.now = at;
    this.#answered = this.#delivered ?? this.head;
    this.#inTurn = true;
    if (deliver()) await this.environment.settle();
    while (this.broken === null && this.ending === null && this.#tellOwedCancel()) await this.environment.settle();
    this.#inTurn = false;
    this.owedCancel.turnOver();
  }

  #tellOwedCancel(): boolean {
    return this.owedCancel.tell(() => thrownInto(this, new CancelledError({ reason: this.cancelRequested?.reason })));
  }

  #continue({ generation, attributes, cancelRequested }: EventData["WORKFLOW_CONTINUED_AS_NEW"]): void {
    this.generation = generation;
    this.attributes = attributes ?? {};
    if (cancelRequested === undefined) return;
    this.cancelRequested = { reason: cancelRequested.reason };
    this.owedCancel.requested(false);
  }

  #start(input: unknown): boolean {
    void this.#runCode(input);
    return true;
  }

  async #runCode(input: unknown): Promise<void> {
    try {
      this.state.initialize(this.#body.initialState(input), this.#body.checkState);
      const output = await this.#body.run(this, input);
      const { codec } = this.environment;
      this.#end({ status: "completed", output: encodeAs(codec, output, "output of workflow", this.run.workflow) });
    } catch (error) {
      this.#end(this.#endingOf(error));
    }
  }

  #endingOf(error: unknown): Ending {
    if (this.cancelRequested !== null && isPerdureError(error, "cancelled")) {
      return { status: "cancelled", reason: this.cancelRequested.reason, terminated: false };
    }
    return { status: "failed", failure: this.environment.codec.encode(toFailure(error)) };
  }

  #end(ending: Ending): void {
    if (this.broken !== null || this.ending !== null) return;
    if (this.#inTurn) this.ending = ending;
    else this.broken = nonDurableAwait(this.run);
  }

  #cancel(reason: string | undefined): boolean {
    this.cancelRequested = { reason };
    this.open.oweCancel();
    // Code that has continued as new is not there any more: the next generation hears of it.
    if (this.ending !== null) return false;
    const interrupted = this.open.interrupt(reason);
    this.owedCancel.requested(interrupted);
    return interrupted;
  }

  /** Adds an event to those that are to be committed; answers its time. */
  append<T extends EventType>(
    type: T,
    command: number | null,
    plain:
      | Omit<EventData[T], keyof SealedValues>
      | { readonly reason: string | undefined; readonly shielded?: readonly number[] },
    values?: SealedValues,
  ): Millis {
    const at = this.time();
    this.#lastAt = at;
    this.head++;
    if (!isRemark(type)) this.gate = this.head;
    this.fresh.push({ type, command, at, data: sealData(this.environment.codec, plain, values) });
    return at;
  }
}
