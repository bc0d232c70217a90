import type { Codec } from "../codec/codec.ts";
import type { OpenActivity } from "../engine/open-command.ts";
import { isPerdureError, TimedOutError } from "../errors/index.ts";
import { validateWith } from "../errors/validate.ts";
import type { Failure } from "../model/failure.ts";
import type { Logger } from "../model/logger.ts";
import type { Payload } from "../model/payload.ts";
import type { RunHeader } from "../model/run.ts";
import type { Runtime } from "../model/runtime.ts";
import { toFailure } from "../model/to-failure.ts";
import { AttemptContext } from "./attempt-context.ts";

/** How an attempt ended. */
export type AttemptOutcome = { readonly output: Payload } | { readonly failure: Failure };

/** What an attempt needs besides the command. */
export interface AttemptEnvironment {
  readonly codec: Codec;
  readonly logger: Logger;
  readonly runtime: Runtime;
  /** The storage's time, to resolve a `retryAfter` that is a Date. */
  readonly now: () => number;
}

/** One attempt of an activity, from its start to its outcome. Its code sees copies; what it returns is encoded at once. */
export class ActivityAttempt {
  readonly command: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly #environment: AttemptEnvironment;
  readonly #run: RunHeader;
  readonly #open: OpenActivity;
  readonly #settled: (outcome: AttemptOutcome) => void;
  #controller: AbortController | null = null;
  #over = false;
  #aborted: Error | null = null;
  #callOffTimeout: (() => void) | null = null;
  #callOffHeartbeat: (() => void) | null = null;
  #beatAt = 0;

  constructor(
    environment: AttemptEnvironment,
    run: RunHeader,
    open: OpenActivity,
    settled: (outcome: AttemptOutcome) => void,
  ) {
    this.command = open.command;
    this.attempt = open.attempt;
    this.startedAt = environment.runtime.monotonic();
    this.#environment = environment;
    this.#run = run;
    this.#open = open;
    this.#settled = settled;
  }

  async execute(): Promise<void> {
    const { inputSchema, outputSchema, input, execute, name } = this.#open;
    const { codec } = this.#environment;
    this.#startTimers();
    try {
      let value = input === null ? undefined : codec.decode(input);
      if (inputSchema !== null) value = await validateWith(inputSchema, value, `input of activity "${name}"`);
      let output = await execute(value as never, this.#context());
      if (outputSchema !== null) output = await validateWith(outputSchema, output, `output of activity "${name}"`);
      this.#settle({ output: codec.encode(output) });
    } catch (error) {
      this.#settle({ failure: this.#failureOf(error) });
    }
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
    const failure = toFailure(error, this.#environment.now());
    // An input or output that its schema refuses, or a result that cannot be stored, is refused every time.
    const hopeless = (["invalid-input", "not-serializable", "payload-too-large"] as const).some((code) =>
      isPerdureError(error, code),
    );
    return hopeless ? { ...failure, nonRetryable: true } : failure;
  }

  #startTimers(): void {
    const { timeoutMs, heartbeatTimeoutMs } = this.#open.attempts;
    if (timeoutMs !== null) {
      const what = `activity "${this.#open.name}", attempt ${this.attempt}`;
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
        new TimedOutError({ what: `a heartbeat of activity "${this.#open.name}", attempt ${this.attempt}`, timeoutMs }),
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

  #context(): AttemptContext {
    return new AttemptContext({
      run: this.#run,
      name: this.#open.name,
      command: this.command,
      attempt: this.attempt,
      logger: this.#environment.logger,
      signal: () => this.#signal(),
      beat: () => {
        this.#beatAt = this.#environment.runtime.monotonic();
      },
    });
  }
}
