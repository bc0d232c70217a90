import type { Codec } from "../codec/codec.ts";
import type { ActivityContext, TransactionalContext } from "../define/activity-context.ts";
import { UsageError } from "../errors/index.ts";
import type { LogFields, Logger } from "../model/logger.ts";
import type { Payload } from "../model/payload.ts";
import type { ActivityCall } from "./activity-call.ts";

/** What the context needs of its attempt. */
export interface ContextSource {
  readonly codec: Codec;
  readonly logger: Logger;
  readonly signal: () => AbortSignal;
  readonly beat: () => void;
  readonly checkpoint: (value: unknown) => Promise<void>;
  readonly lastCheckpoint: () => Payload | undefined;
}

/** The context of an attempt. Most activities look at none of it: everything is made when it is asked for. */
export class AttemptContext implements ActivityContext {
  readonly #call: ActivityCall;
  readonly #source: ContextSource;

  constructor(call: ActivityCall, source: ContextSource) {
    this.#call = call;
    this.#source = source;
  }

  get runId(): string {
    return this.#call.runId;
  }

  get workflow(): string {
    return this.#call.workflow;
  }

  get name(): string {
    return this.#call.name;
  }

  get attempt(): number {
    return this.#call.attempt;
  }

  get idempotencyKey(): string {
    return this.#call.idempotencyKey;
  }

  get signal(): AbortSignal {
    return this.#source.signal();
  }

  get heartbeat(): () => void {
    return this.#source.beat;
  }

  get checkpoint(): (value: unknown) => Promise<void> {
    return this.#source.checkpoint;
  }

  get lastCheckpoint(): unknown {
    const stored = this.#source.lastCheckpoint();
    return stored === undefined ? undefined : this.#source.codec.decode(stored);
  }

  get logger(): Logger {
    const { runId, workflow, name, attempt } = this.#call;
    const bound = { workflow, runId, activity: name, attempt };
    const write = (level: keyof Logger) => (message: string, fields?: LogFields) =>
      this.#source.logger[level](message, { ...bound, ...fields });
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }
}

/** The same for the code of a transactional activity. */
export class TransactionalAttemptContext extends AttemptContext implements TransactionalContext<unknown> {
  readonly tx: unknown;
  readonly #name: string;

  constructor(call: ActivityCall, source: ContextSource, tx: unknown) {
    super(call, source);
    this.tx = tx;
    this.#name = call.name;
  }

  override get checkpoint(): () => Promise<never> {
    return async () => {
      throw new UsageError(
        "invalid-argument",
        `Activity "${this.#name}" is transactional and has no checkpoints: one would outlast the roll-back of what it stands for. Write to the transaction instead.`,
      );
    };
  }
}
