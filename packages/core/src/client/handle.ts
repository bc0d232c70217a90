import { endWithoutCode } from "../batch/end-run.ts";
import type { StorageAccess } from "../batch/storage-access.ts";
import type { Codec } from "../codec/codec.ts";
import { encodeAs } from "../codec/encode-as.ts";
import type { AnySignal, Signal } from "../define/signal.ts";
import { cancelMessage, signalMessage } from "../engine/inbox-message.ts";
import { openEvent } from "../engine/open-event.ts";
import { requireName } from "../define/require-name.ts";
import { requireReason } from "../define/require-reason.ts";
import { ResultTimeoutError, RunCancelledError, RunFailedError, UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireOptions } from "../errors/require-options.ts";
import { validateWith } from "../errors/validate.ts";
import type { Duration } from "../model/duration.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import { type Seq, workflowTaskId } from "../model/ids.ts";
import type { Run } from "../storage/run.ts";
import type { ClosedRuns } from "./closed-runs.ts";
import { forkedRun, forkPoint, type ForkRunOptions, RETRY_OPTIONS, retryPoint, type RetryRunOptions } from "./fork.ts";
import { describeRun, shownStatus, type RunDescription, type ShownStatus } from "./describe.ts";

/** A client's lease on a run that it terminates itself. */
const TERMINATE_LEASE_MS = 15_000;

/** One run, from outside. It needs no worker to be read. */
export interface RunHandle<Output = unknown, State = unknown> {
  readonly runId: string;
  /** Tells this run from others that had its id; `undefined` for a handle made from an id alone. */
  readonly incarnation: string | undefined;
  /**
   * Waits for the run to end, as long as it takes, and answers its output.
   * @throws RunFailedError, RunCancelledError; ResultTimeoutError after `timeout`; the reason of `signal`; UsageError `run-not-found`
   */
  result(options?: { readonly timeout?: Duration; readonly signal?: AbortSignal }): Promise<Output>;
  /** @throws UsageError `run-not-found` */
  status(): Promise<ShownStatus>;
  /** What the run is doing, and why it is not moving. Reads its history. @throws UsageError `run-not-found` */
  describe(): Promise<RunDescription>;
  /** The run's state as of its last commit; `undefined` if it has none. */
  state(): Promise<State | undefined>;
  /** All events, oldest first, of all generations; instants in them are epoch ms. @throws UsageError `run-not-found` */
  history(): Promise<readonly WorkflowEvent[]>;
  /**
   * Sends a signal. With an `id`, any number of calls count once; one that has arrived stays so, also when the run has ended since.
   * With `tx`, an open transaction of yours on a storage that can join one, it arrives when you commit.
   * @throws UsageError `invalid-input`, `run-closed`, `run-not-found`, `unsupported`
   */
  signal<Sent>(signal: Signal<Sent, unknown>, payload: Sent, options?: SignalOptions): Promise<void>;
  /**
   * Asks the run to cancel: its code gets CancelledError where it waits and may clean up. Idempotent, also when the run has ended since.
   * @throws UsageError `run-closed`, `run-not-found`
   */
  cancel(options?: { readonly reason?: string }): Promise<void>;
  /**
   * Ends the run without running its code again, blocked or not. If a worker holds it right now, that worker ends it. Idempotent.
   * @throws UsageError `run-closed`, `run-not-found`
   */
  terminate(options?: { readonly reason?: string }): Promise<void>;
  /** Lifts a block; answers whether there was one. @throws UsageError `run-not-found` */
  unblock(): Promise<boolean>;
  /**
   * Starts a new run that goes on from a place in this run's history, with the code of today. This run is not touched. What had no
   * outcome at that place is asked for anew: activities from their first attempt, children under new names, messages again; timers and
   * waits keep their time. A fork has no parent.
   * @throws UsageError `run-not-found`, `run-exists` (another fork has the id), `invalid-argument`
   */
  fork(options?: ForkRunOptions): Promise<RunHandle<Output, State>>;
  /**
   * Forks a failed run before the first activity or child failure after which it achieved nothing more, or else before its end, so that
   * mended code goes on from there; a cancelled run before the request. Nothing that succeeded is repeated or forgotten.
   * @throws UsageError `nothing-to-retry` (open, completed, or cleaned up after a cancel), `run-not-found`, `run-exists`, `invalid-argument`
   */
  retry(options?: RetryRunOptions): Promise<RunHandle<Output, State>>;
}

/** How a signal is sent. */
export interface SignalOptions {
  /** Tells repetitions from new signals. Default: random. */
  readonly id?: string;
  /** See {@link StartOptions.tx}. */
  readonly tx?: unknown;
}

/** What handles share. */
export interface HandleEnvironment {
  readonly access: StorageAccess;
  readonly codec: Codec;
  readonly closed: ClosedRuns;
}

export class StoredRunHandle implements RunHandle {
  readonly runId: string;
  readonly incarnation: string | undefined;
  readonly #environment: HandleEnvironment;

  constructor(environment: HandleEnvironment, runId: string, incarnation?: string) {
    this.runId = runId;
    this.incarnation = incarnation;
    this.#environment = environment;
  }

  async result(options: { readonly timeout?: Duration; readonly signal?: AbortSignal } = {}): Promise<unknown> {
    requireOptions(options, "handle.result", { timeout: true, signal: true });
    const { access, closed } = this.#environment;
    const timeoutMs =
      options.timeout === undefined ? null : requireDuration(options.timeout, "timeout of handle.result");
    await access.ready();
    const controller = new AbortController();
    const forward = (): void => controller.abort(options.signal?.reason);
    if (options.signal?.aborted === true) forward();
    options.signal?.addEventListener("abort", forward);
    const cancel =
      timeoutMs === null
        ? null
        : access.runtime.after(timeoutMs, () =>
            controller.abort(new ResultTimeoutError({ runId: this.runId, timeoutMs })),
          );
    try {
      const run = await closed.until(this.runId, () => this.#closedRun(), controller.signal);
      return this.#outcome(run);
    } finally {
      cancel?.();
      options.signal?.removeEventListener("abort", forward);
    }
  }

  async status(): Promise<ShownStatus> {
    const run = await this.#run();
    return shownStatus(run, this.#environment.access.clock.latest());
  }

  async describe(): Promise<RunDescription> {
    const { codec, access } = this.#environment;
    const run = await this.#run();
    const { runId, incarnation, baseSeq } = run;
    const history = await this.#events(run, baseSeq);
    const [page] = baseSeq === 0 ? [] : await access.storage.readEvents([{ runId, incarnation, after: 0, limit: 1 }]);
    const first = page === undefined ? history[0] : page.events.map((event) => openEvent(codec, event))[0];
    const failure = run.failure === null ? null : (codec.decode(run.failure) as Failure);
    return describeRun(run, first, history, failure, await access.storage.now());
  }

  async state(): Promise<unknown> {
    const { state } = await this.#run();
    return state === null ? undefined : this.#environment.codec.decode(state);
  }

  async history(): Promise<readonly WorkflowEvent[]> {
    return this.#events(await this.#run(), 0);
  }

  async signal<Sent>(signal: Signal<Sent, unknown>, payload: Sent, options: SignalOptions = {}): Promise<void> {
    requireOptions(options, "handle.signal", { id: true, tx: true });
    const { access, codec } = this.#environment;
    const { id = access.runtime.id(), tx } = options;
    await access.readyFor(tx, "deliver");
    const data = await signalData(codec, signal, payload);
    await this.#deliver(signalId(id), data, `signal "${signal.name}"`, tx);
  }

  async cancel(options: { readonly reason?: string } = {}): Promise<void> {
    requireOptions(options, "handle.cancel", { reason: true });
    await this.#environment.access.ready();
    await this.#deliver(
      "cancel",
      cancelMessage(this.#environment.codec, "cancel", requireReason(options.reason)),
      "a cancel request",
    );
  }

  async terminate(options: { readonly reason?: string } = {}): Promise<void> {
    requireOptions(options, "handle.terminate", { reason: true });
    const { access, codec } = this.#environment;
    const run = await this.#run();
    await this.#deliver("terminate", cancelMessage(codec, "terminate", requireReason(options.reason)), "a termination");
    const { result } = await access.claim({
      workerId: "client",
      workerInstance: access.runtime.id(),
      holding: [],
      queues: [],
      kinds: ["workflow"],
      handlers: { workflows: [], activities: [] },
      limit: 1,
      leaseMs: TERMINATE_LEASE_MS,
      inlineEvents: 0,
      overdue: false,
      taskIds: [workflowTaskId(run.runId, run.incarnation)],
    });
    const [task] = result.tasks;
    if (task?.kind !== "workflow") return;
    await endWithoutCode(access, codec, task, { status: "cancelled", reason: options.reason, terminated: true });
  }

  async unblock(): Promise<boolean> {
    const { runId, incarnation } = await this.#run();
    const [result] = await this.#environment.access.storage.unblockTasks([workflowTaskId(runId, incarnation)]);
    return result!.status === "unblocked";
  }

  async fork(options: ForkRunOptions = {}): Promise<StoredRunHandle> {
    requireOptions(options, "handle.fork", { ...RETRY_OPTIONS, beforeStep: true, beforeSeq: true });
    return this.#fork(options, (run, history) => forkPoint(run, history, options));
  }

  async retry(options: RetryRunOptions = {}): Promise<StoredRunHandle> {
    requireOptions(options, "handle.retry", RETRY_OPTIONS);
    return this.#fork(options, retryPoint);
  }

  async #fork(
    options: RetryRunOptions,
    before: (run: Run, history: readonly WorkflowEvent[]) => Seq,
  ): Promise<StoredRunHandle> {
    const { access } = this.#environment;
    const source = await this.#run();
    const history = await this.#events(source, 0);
    // It was purged in between.
    if (history.length === 0) throw notFound(this.runId);
    const { status, run } = await access.create(forkedRun(access, source, history, before(source, history), options));
    if (status === "conflict") {
      throw new UsageError(
        "run-exists",
        `Run "${run.runId}" of workflow "${run.workflow}" is not a fork of run "${source.runId}" from that place. Use another id or idempotency key.`,
        { details: { runId: run.runId } },
      );
    }
    return new StoredRunHandle(this.#environment, run.runId, run.incarnation);
  }

  async #run(): Promise<Run> {
    const { access } = this.#environment;
    await access.ready();
    const run = await access.storage.getRun(this.runId);
    if (run === undefined || (this.incarnation !== undefined && run.incarnation !== this.incarnation))
      throw notFound(this.runId);
    return run;
  }

  async #closedRun(): Promise<Run | undefined> {
    const run = await this.#run();
    return run.status === "open" ? undefined : run;
  }

  #outcome(run: Run): unknown {
    const { codec } = this.#environment;
    if (run.status === "completed") return codec.decode(run.output!);
    const failure = codec.decode(run.failure!) as Failure;
    if (run.status === "failed") throw new RunFailedError({ runId: this.runId, failure });
    throw new RunCancelledError({ runId: this.runId, reason: failure.details?.["reason"] as string | undefined });
  }

  async #events({ runId, incarnation }: Run, after: number): Promise<readonly WorkflowEvent[]> {
    const events = await this.#environment.access.readAll({ runId, incarnation, after });
    return events.map((event) => openEvent(this.#environment.codec, event));
  }

  async #deliver(dedupeId: string, data: string, what: string, tx?: unknown): Promise<void> {
    const { runId, incarnation } = this;
    const { access } = this.#environment;
    const message = { runId, ...(incarnation !== undefined && { incarnation }), dedupeId, external: true, data };
    const { status } = await (tx === undefined ? access.deliver(message) : access.deliverIn(tx, message));
    if (status === "unknown") throw notFound(runId);
    if (status === "closed")
      throw new UsageError(
        "run-closed",
        `Run "${runId}" is closed and takes no ${what.replace(/^an? /u, "")}. Start a new run.`,
        { details: { runId } },
      );
  }
}

/** The message of a signal, its payload checked by the signal's schema. */
export async function signalData(codec: Codec, signal: AnySignal, payload: unknown): Promise<string> {
  if (signal?.kind !== "signal")
    throw new UsageError("invalid-argument", "A signal must be made by signal(…). Pass the definition itself.");
  const { schema, name } = signal;
  const checked = schema === null ? payload : await validateWith(schema, payload, `payload of signal "${name}"`);
  return signalMessage(codec, name, encodeAs(codec, checked, "payload of signal", name));
}

/** Ids of users' signals have a space of their own: none can stand in the way of a cancel request. */
function signalId(id: string): string {
  requireName(id, "id of a signal");
  return requireName(`signal:${id}`, 'id of a signal, with "signal:" before it,');
}

function notFound(runId: string): UsageError {
  return new UsageError(
    "run-not-found",
    `There is no run "${runId}". Check the id and the namespace, or whether it was purged.`,
    { details: { runId } },
  );
}
