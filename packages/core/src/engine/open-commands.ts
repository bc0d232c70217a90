import { ActivityFailedError, CancelledError, ChildFailedError, TimedOutError } from "../errors/index.ts";
import { failureToError } from "../model/failure-to-error.ts";
import type { Failure } from "../model/failure.ts";
import type { Millis, Seq } from "../model/ids.ts";
import type {
  BufferedSignal,
  InheritedChild,
  OpenActivity,
  OpenChild,
  OpenSend,
  OpenTimer,
  OpenWait,
  Settler,
} from "./open-command.ts";

/**
 * What the code has asked for and not been answered, by command number, and the signals that it has not asked for. Methods that
 * bring an outcome say whether the code has something to answer to.
 */
export class OpenCommands {
  readonly activities = new Map<number, OpenActivity>();
  readonly timers = new Map<number, OpenTimer>();
  readonly waits = new Map<number, OpenWait>();
  readonly children = new Map<number, OpenChild>();
  readonly sends = new Map<number, OpenSend>();
  /** Children of earlier generations, by the seq of their CHILD_SCHEDULED. */
  readonly inherited = new Map<Seq, InheritedChild>();
  readonly #buffered = new Map<string, BufferedSignal[]>();
  readonly #thrown: <E extends Error>(error: E) => E;
  #isUnheard = false;

  /** `thrown` sees what the code is about to get. */
  constructor(thrown: <E extends Error>(error: E) => E) {
    this.#thrown = thrown;
  }

  get isEmpty(): boolean {
    return this.activities.size + this.timers.size + this.waits.size + this.children.size + this.sends.size === 0;
  }

  /** Something is to fire at a time. */
  get isTiming(): boolean {
    return this.timers.size + this.waits.size > 0;
  }

  /** Earliest time at which something happens by itself; `null`: never. */
  nextDueAt(): Millis | null {
    let due = Infinity;
    for (const timer of this.timers.values()) due = Math.min(due, timer.dueAt);
    for (const wait of this.waits.values()) due = Math.min(due, wait.dueAt ?? Infinity);
    for (const activity of this.activities.values()) if (activity.dueAt > 0) due = Math.min(due, activity.dueAt);
    return due === Infinity ? null : due;
  }

  /** Timers, and waits whose time is up, by `now`: in (due, command) order. */
  due(now: Millis): readonly number[] {
    if (!this.isTiming) return [];
    const due = [...this.timers.values(), ...this.waits.values()].filter(
      (open) => open.dueAt !== null && open.dueAt <= now,
    );
    return due.toSorted((a, b) => a.dueAt! - b.dueAt! || a.command - b.command).map(({ command }) => command);
  }

  isTimed(command: number): boolean {
    return this.timers.has(command) || this.waits.has(command);
  }

  /** The oldest signal of a name that nobody has waited for. */
  takeSignal(signal: string): BufferedSignal | undefined {
    const buffer = this.#buffered.get(signal);
    const oldest = buffer?.shift();
    if (buffer?.length === 0) this.#buffered.delete(signal);
    return oldest;
  }

  /** All signals that nobody has waited for, in the order of their arrival. */
  get buffered(): readonly BufferedSignal[] {
    return [...this.#buffered.values()].flat().toSorted((a, b) => a.seq - b.seq);
  }

  /** The code has ended: from here on outcomes are booked, and nobody is told. Whatever it left behind must not wake up. */
  silence(): void {
    this.#isUnheard = true;
  }

  /** All children that this run's end concerns. */
  *childrenLeft(): Iterable<OpenChild | InheritedChild> {
    yield* this.children.values();
    yield* this.inherited.values();
  }

  /** The oldest wait for a signal takes it; else it is buffered (I18). */
  receive(received: BufferedSignal): boolean {
    const { signal, payload } = received;
    for (const wait of this.waits.values()) {
      if (wait.signal !== signal) continue;
      this.waits.delete(wait.command);
      return this.#resolve(wait, payload);
    }
    const buffer = this.#buffered.get(signal);
    if (buffer === undefined) this.#buffered.set(signal, [received]);
    else buffer.push(received);
    return false;
  }

  /** What was asked for inside a shield, in command order. */
  get shielded(): readonly number[] {
    return this.#all.filter(({ shielded }) => shielded).map(({ command }) => command);
  }

  /**
   * Rejects all that is open and not shielded, in command order. Intents stay, to be carried out all the same, and children, whose
   * close policy is owed.
   */
  interrupt(reason: string | undefined): boolean {
    const open = this.#all.filter(({ shielded }) => !shielded);
    for (const { command } of open)
      for (const commands of [this.activities, this.timers, this.waits]) commands.delete(command);
    for (const command of open) command.reject(this.#thrown(new CancelledError({ reason })));
    for (const child of this.children.values()) if (!child.shielded) child.interrupted = true;
    return open.length > 0;
  }

  /** A cancel request concerns the children that are there when it comes: those that the code asks for later clean up. */
  oweCancel(): void {
    for (const child of this.childrenLeft()) {
      const isShielded = "shielded" in child && child.shielded;
      if (child.parentClose === "cancel" && !isShielded) child.cancelOwed = true;
    }
  }

  get #all(): readonly (Settler & { readonly command: number })[] {
    const { activities, timers, waits, children, sends } = this;
    const open = [activities, timers, waits, children, sends].flatMap((commands) => [...commands.values()]);
    return open.toSorted((a, b) => a.command - b.command);
  }

  fire(command: number): boolean {
    const timer = take(this.timers, command);
    if (timer !== undefined) return this.#resolve(timer, undefined);
    const wait = take(this.waits, command);
    return this.#reject(wait, ({ signal }) => new TimedOutError({ what: `signal "${signal}"` }));
  }

  /** `task`: see OpenActivity. */
  activityScheduled(command: number, task: Seq | null): void {
    const open = this.activities.get(command);
    if (open === undefined) return;
    open.task = task;
    open.recorded = true;
    open.dueAt = 0;
  }

  activityRetrying(command: number, attempt: number, dueAt: Millis): void {
    const open = this.activities.get(command);
    if (open === undefined) return;
    open.recorded = true;
    open.attempt = attempt;
    open.dueAt = dueAt;
  }

  /** The activity that went out as the task which this seq names. */
  activityOfTask(seq: Seq): OpenActivity | undefined {
    for (const activity of this.activities.values()) if (activity.task === seq) return activity;
    return undefined;
  }

  activityCompleted(command: number, output: unknown): boolean {
    return this.#resolve(take(this.activities, command), output);
  }

  activityFailed(command: number, attempts: number, failure: Failure): boolean {
    const open = take(this.activities, command);
    return this.#reject(
      open,
      ({ name }) => new ActivityFailedError({ activity: name, attempts, cause: failureToError(failure) }),
    );
  }

  childStarted(command: number): void {
    const open = this.children.get(command);
    if (open !== undefined) open.started = true;
  }

  childCompleted(command: number, output: unknown): boolean {
    return this.#resolve(take(this.children, command), output);
  }

  childFailed(command: number, failure: Failure): boolean {
    const open = take(this.children, command);
    return this.#reject(
      open,
      ({ workflow, runId }) => new ChildFailedError({ workflow, runId, cause: failureToError(failure) }),
    );
  }

  inheritedClosed(scheduled: Seq | undefined): void {
    if (scheduled !== undefined) this.inherited.delete(scheduled);
  }

  sent(command: number, status: string): boolean {
    return this.#resolve(take(this.sends, command), status);
  }

  #resolve(open: Settler | undefined, value: unknown): boolean {
    if (open === undefined || this.#isUnheard) return false;
    open.resolve(value);
    return true;
  }

  #reject<T extends Settler>(open: T | undefined, error: (open: T) => Error): boolean {
    if (open === undefined || this.#isUnheard) return false;
    open.reject(this.#thrown(error(open)));
    return true;
  }
}

function take<T>(open: Map<number, T>, command: number): T | undefined {
  const found = open.get(command);
  if (found !== undefined) open.delete(command);
  return found;
}
