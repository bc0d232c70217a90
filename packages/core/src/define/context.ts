import type { Duration } from "../model/duration.ts";
import type { Logger } from "../model/logger.ts";
import type { Attributes, ParentClose } from "../model/run.ts";
import type { Activity, ActivityOptions } from "./activity.ts";
import type { ActivityContext } from "./activity-context.ts";
import type { Definition } from "./definition.ts";
import type { Signal } from "./signal.ts";

/** What workflow code may use. Everything that it asks for here is recorded, and answered from the record after a crash. */
export interface WorkflowContext<State = unknown, Input = never> {
  readonly runId: string;
  readonly info: WorkflowInfo;
  /** Writes only while code runs for the first time, not when it is replayed. */
  readonly logger: Logger;
  /** The run's typed state; recorded with the next commit, readable from outside through the handle. */
  readonly state: StateHandle<State>;
  readonly attributes: {
    /** Replaces the named search attributes of the run and keeps the others. */
    set(attributes: Attributes): void;
  };
  /** Somebody asked for the run to be cancelled. */
  readonly cancelled: boolean;

  /**
   * Runs an activity and answers its recorded result.
   * @throws ActivityFailedError after the last attempt failed. CancelledError. UsageError `invalid-argument`, `unknown-activity`,
   * `not-serializable`, `payload-too-large`.
   */
  run<Input, Output>(
    activity: Activity<Input, Output, unknown>,
    input: Input,
    options?: ActivityOptions,
  ): Promise<Awaited<Output>>;
  /** Runs a function as an activity of this name. */
  run<Output>(
    name: string,
    execute: (context: ActivityContext) => Output | Promise<Output>,
    options?: ActivityOptions,
  ): Promise<Awaited<Output>>;

  /**
   * Sleeps durably, using no resources; a Date in the past returns at once.
   * @throws CancelledError
   */
  sleep(time: Duration | Date): Promise<void>;

  /**
   * Waits for a signal, or takes the oldest buffered one.
   * @throws TimedOutError after `timeout`. CancelledError.
   */
  waitFor<Received>(signal: Signal<unknown, Received>, options?: { readonly timeout?: Duration }): Promise<Received>;
  /** All signals of a kind, one by one, for ever. */
  signals<Received>(signal: Signal<unknown, Received>): AsyncIterable<Received>;

  /**
   * Starts another run as a child. Awaiting the answer waits for its result; not awaiting it leaves it detached. The child's id is
   * known at once. What happens to it when this run closes first is `parentClose` (default `cancel`).
   * @throws ChildFailedError from the await. CancelledError.
   */
  child<Input, Output>(
    definition: Definition<Input, Output>,
    input: Input,
    options?: ChildOptions,
  ): ChildHandle<Output>;

  /**
   * Sends a signal to another run; resolves when it is in its inbox.
   * @throws UsageError `run-not-found`, `run-closed`.
   */
  signal<Sent>(runId: string, signal: Signal<Sent, unknown>, payload: Sent): Promise<void>;

  /**
   * Ends this generation of the run and begins the next, with this input and an empty history: `return ctx.continueAsNew(input)`.
   * Run id, handle, deadline, search attributes, a cancel request, signals that nobody has waited for and the close policies of
   * children stay; the state begins anew. Nothing after the call is carried out, `finally` blocks neither, and activities
   * that still run are aborted: await and clean up before.
   * @throws UsageError `invalid-input`, `not-serializable`
   */
  continueAsNew(input: Input): Promise<never>;

  /** The time of the event that the code answers to right now. */
  now(): Date;
  /** 0 ≤ n < 1, the same in every replay. */
  random(): number;
  /** A version 4 UUID, the same in every replay. */
  uuid(): string;
  /**
   * Runs a quick, synchronous, non-deterministic function once and records what it returned, or threw. For anything that takes time,
   * use {@link run}.
   * @throws UsageError `invalid-argument` for a function that answers a promise, `not-serializable`
   */
  sideEffect<T>(name: string, fn: () => T): T;

  /**
   * Whether this run has a change of its workflow's code: `true` in runs that come to this place with the new code, `false` in runs
   * that were past it before. The same answer for this id for the rest of the run, whoever replays it.
   *
   * Life of a patch: first `if (ctx.patched("new-tax")) { new code } else { old code }`. When no open run is older than that, the
   * new code alone, with `ctx.deprecatePatch("new-tax")` before it. When no open run is older than that either, nothing.
   * @throws UsageError `invalid-argument` for a bad id.
   */
  patched(id: string): boolean;
  /**
   * Says that no open run is without a patch any more: stands where {@link patched} was asked first. Once all open runs were started
   * with it, it may be removed.
   * @throws UsageError `invalid-argument` for a bad id.
   */
  deprecatePatch(id: string): void;

  /**
   * Calls a function, and answers what it answers. What it asks for finishes, even if the run is asked to cancel meanwhile;
   * its children are not told. The code outside learns of the request then: CancelledError comes from the first thing
   * that it asks for after the shield. Terminations and deadlines do not wait.
   */
  shield<T>(fn: () => T | PromiseLike<T>): Promise<T>;
}

/** What a run knows about itself; the same in every replay. Times are those of the storage's clock. */
export interface WorkflowInfo {
  readonly workflow: string;
  /** Of the definition that the run was started with. */
  readonly version: string | null;
  readonly queue: string;
  /** −9 … 9. */
  readonly priority: number;
  /** When the run was created. */
  readonly startedAt: Date;
  /** When the run fails with code `timed-out`, if it is not over. */
  readonly deadlineAt: Date | null;
  readonly parentRunId: string | null;
  /** 1, and one more for each continue-as-new. */
  readonly generation: number;
  /** Events of this generation, up to the one that the code answers to right now. */
  readonly historyLength: number;
  /** They are 10,000 or more: `return ctx.continueAsNew(…)` at the next opportunity. */
  readonly continueAsNewSuggested: boolean;
}

/** How a child run is started. */
export interface ChildOptions {
  /** The child's run id. Default: derived from this run, unique. */
  readonly id?: string;
  /** What happens to it if it is still open when this run closes. Default `cancel`. */
  readonly parentClose?: ParentClose;
  /** Default: its workflow's. */
  readonly queue?: string;
}

/** A child run: awaitable for its result. */
export interface ChildHandle<Output> extends PromiseLike<Output> {
  readonly runId: string;
  /** Sends the child a signal. */
  signal<Sent>(signal: Signal<Sent, unknown>, payload: Sent): Promise<void>;
  /** Asks the child to cancel; resolves when the request is in its inbox. */
  cancel(options?: { readonly reason?: string }): Promise<void>;
}

/**
 * The state object of a run. All methods are synchronous; values given are copied, values got are copies. What changes it throws
 * UsageError `not-serializable`, `payload-too-large`, and `invalid-input` for a state that its schema refuses.
 */
export interface StateHandle<State> {
  /** All of it. */
  get(): State;
  /** One field. */
  get<Key extends keyof State>(key: Key): State[Key];
  set<Key extends keyof State & string>(key: Key, value: State[Key]): void;
  /** Merges what the function returns into the state. Changing the copy that it gets changes nothing. */
  update(change: (state: State) => Partial<State>): void;
  /** Records all changes that the function makes as one. */
  batch(changes: (state: StateHandle<State>) => void): void;
  /** As `get()`. */
  snapshot(): State;
}
