import type { StorageAccess } from "../batch/storage-access.ts";
import type { Codec } from "../codec/codec.ts";
import { encodeAs } from "../codec/encode-as.ts";
import { CancelledError, isPerdureError, TimedOutError } from "../errors/index.ts";
import { validateWith } from "../errors/validate.ts";
import type { Failure } from "../model/failure.ts";
import type { Logger } from "../model/logger.ts";
import type { Payload } from "../model/payload.ts";
import type { Runtime } from "../model/runtime.ts";
import { toFailure } from "../model/to-failure.ts";
import type { ActivityCall, AttemptTransaction } from "./activity-call.ts";
import { AttemptContext, type ContextSource, TransactionalAttemptContext } from "./attempt-context.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoints.ts";
import { inTransaction } from "./in-transaction.ts";
import type { Interceptor } from "./interceptor.ts";
import { requireTransactions } from "./require-transactions.ts";
import { ResultMemory } from "./result-memory.ts";

/** How an attempt ended. `cached`: with the result of an earlier call. `recorded`: in the transaction of its code, for good. */
export type AttemptOutcome =
  | { readonly output: Payload; readonly cached?: true; readonly recorded?: true }
  | { readonly failure: Failure };

/** What an attempt needs besides the call. */
export interface AttemptEnvironment {
  readonly access: StorageAccess;
  readonly codec: Codec;
  readonly logger: Logger;
  readonly runtime: Runtime;
  readonly intercept: Interceptor | null;
}

/** One attempt of an activity, from its start to its outcome. Its code sees copies; what it returns is encoded at once. */
export class ActivityAttempt {
  readonly startedAt: number;
  readonly #environment: AttemptEnvironment;
  readonly #call: ActivityCall;
  readonly #settled: (outcome: AttemptOutcome) => void;
  #controller: AbortController | null = null;
  #over = false;
  #aborted: Error | null = null;
  #callOffTimeout: (() => void) | null = null;
  #callOffHeartbeat: (() => void) | null = null;
  #beatAt = 0;
  #lastCheckpoint: Payload | undefined;
  /** What was recorded in the transaction of the code. */
  #recorded: Payload | undefined;

  constructor(environment: AttemptEnvironment, call: ActivityCall, settled: (outcome: AttemptOutcome) => void) {
    this.startedAt = environment.runtime.monotonic();
    this.#environment = environment;
    this.#call = call;
    this.#settled = settled;
  }

  async execute(): Promise<void> {
    const { inputSchema, outputSchema, input, name, cache, resumes } = this.#call;
    const { access, codec } = this.#environment;
    this.#startTimers();
    try {
      let value = input === null ? undefined : codec.decode(input);
      if (inputSchema !== null) value = await validateWith(inputSchema, value, `input of activity "${name}"`);
      const memory = cache === null ? null : new ResultMemory(access, this.#call, cache, value);
      const known = memory === null ? undefined : await memory.recall();
      if (known !== undefined) return this.#settle({ output: known, cached: true });
      if (resumes) this.#lastCheckpoint = await readCheckpoint(access, this.#call);
      if (this.#over || !this.#call.mayBegin()) return;
      let output = await this.#perform(value);
      if (this.#recorded !== undefined) return this.#settle({ output: this.#recorded, recorded: true });
      if (outputSchema !== null) output = await validateWith(outputSchema, output, `output of activity "${name}"`);
      const encoded = encodeAs(codec, output, "output of activity", name);
      if (memory === null || this.#over) return this.#settle({ output: encoded });
      const winner = await memory.remember(encoded);
      this.#settle({ output: winner, ...(winner !== encoded && { cached: true }) });
    } catch (error) {
      this.#settle({ failure: this.#failureOf(error) });
    }
  }

  /** Runs the code, or what stands in for it. */
  #perform(value: unknown): unknown {
    const { claim, command, transaction } = this.#call;
    const { intercept } = this.#environment;
    const context = new AttemptContext(this.#call, this.#contextSource());
    const execute = transaction === null ? this.#call.execute : (input: never) => this.#performIn(transaction, input);
    if (intercept === null) return execute(value as never, context);
    const isRecorded = (): boolean => this.#recorded !== undefined;
    return intercept({ claim, command, input: value, context, execute, isRecorded });
  }

  /** Runs the code and records its result in one transaction. Whatever ends the attempt meanwhile has it rolled back. */
  async #performIn({ run, record }: AttemptTransaction, input: never): Promise<void> {
    const { name, outputSchema, execute } = this.#call;
    const { access, codec } = this.#environment;
    requireTransactions(name, access.storage.info);
    this.#recorded = await inTransaction(name, run, async (tx) => {
      this.#refuseIfOver();
      const context = new TransactionalAttemptContext(this.#call, this.#contextSource(), tx);
      let output = await execute(input, context);
      if (outputSchema !== null) output = await validateWith(outputSchema, output, `output of activity "${name}"`);
      const encoded = encodeAs(codec, output, "output of activity", name);
      this.#refuseIfOver();
      await record(tx, encoded);
      this.#refuseIfOver();
      return encoded;
    });
  }

  /** Fires the attempt's signal; whatever comes of it later is dropped. */
  abort(reason: Error): void {
    if (this.#over) return;
    this.#finish();
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  #settle(outcome: AttemptOutcome): void {
    if (this.#over) return;
    this.#finish();
    this.#settled(outcome);
  }

  #finish(): void {
    this.#over = true;
    this.#callOffTimeout?.();
    this.#callOffHeartbeat?.();
  }

  #failureOf(error: unknown): Failure {
    const failure = toFailure(error, this.#environment.access.clock.latest());
    // An input or output that its schema refuses, a result that cannot be stored, and what the storage cannot do: so every time.
    const hopeless = (["invalid-input", "not-serializable", "payload-too-large", "unsupported"] as const).some((code) =>
      isPerdureError(error, code),
    );
    return hopeless ? { ...failure, nonRetryable: true } : failure;
  }

  #startTimers(): void {
    const { timeoutMs, heartbeatTimeoutMs } = this.#call;
    if (timeoutMs !== null) {
      const what = `activity "${this.#call.name}", attempt ${this.#call.attempt}`;
      this.#callOffTimeout = this.#environment.runtime.after(timeoutMs, () =>
        this.#timeOut(new TimedOutError({ what, timeoutMs })),
      );
    }
    if (heartbeatTimeoutMs !== null) {
      this.#beatAt = this.startedAt;
      this.#watchHeartbeat(heartbeatTimeoutMs);
    }
  }

  #watchHeartbeat(timeoutMs: number): void {
    const { runtime } = this.#environment;
    const left = this.#beatAt + timeoutMs - runtime.monotonic();
    if (left <= 0) {
      this.#timeOut(
        new TimedOutError({
          what: `a heartbeat of activity "${this.#call.name}", attempt ${this.#call.attempt}`,
          timeoutMs,
        }),
      );
    } else {
      this.#callOffHeartbeat = runtime.after(left, () => this.#watchHeartbeat(timeoutMs));
    }
  }

  #timeOut(error: TimedOutError): void {
    if (this.#over) return;
    this.#settle({ failure: toFailure(error) });
    this.#aborted = error;
    this.#controller?.abort(error);
  }

  /** The controller costs more than all the rest of an attempt: made when somebody asks for it. */
  #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== null) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  #contextSource(): ContextSource {
    return {
      logger: this.#environment.logger,
      signal: () => this.#signal(),
      beat: () => this.#beat(),
      checkpoint: (value) => this.#checkpoint(value),
      lastCheckpoint: () => this.#lastCheckpoint,
      codec: this.#environment.codec,
    };
  }

  #beat(): void {
    this.#beatAt = this.#environment.runtime.monotonic();
  }

  #refuseIfOver(): void {
    if (!this.#over) return;
    const { attempt, name } = this.#call;
    throw this.#aborted ?? new CancelledError({ reason: `Attempt ${attempt} of activity "${name}" is over.` });
  }

  async #checkpoint(value: unknown): Promise<void> {
    const { access, codec } = this.#environment;
    const encoded = encodeAs(codec, value, "checkpoint of activity", this.#call.name);
    // An attempt that is over must not write over what the next one stores.
    this.#refuseIfOver();
    this.#beat();
    await writeCheckpoint(access, this.#call, encoded);
  }
}
