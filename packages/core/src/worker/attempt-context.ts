import type { ActivityContext } from "../define/activity.ts";
import type { LogFields, Logger } from "../model/logger.ts";
import type { RunHeader } from "../model/run.ts";

/** What the context needs of its attempt. */
export interface ContextSource {
  readonly run: RunHeader;
  readonly name: string;
  readonly command: number;
  readonly attempt: number;
  readonly logger: Logger;
  readonly signal: () => AbortSignal;
  readonly beat: () => void;
}

/** The context of an attempt. Most activities look at none of it: everything is made when it is asked for. */
export class AttemptContext implements ActivityContext {
  readonly #source: ContextSource;

  constructor(source: ContextSource) {
    this.#source = source;
  }

  get runId(): string {
    return this.#source.run.runId;
  }

  get workflow(): string {
    return this.#source.run.workflow;
  }

  get name(): string {
    return this.#source.name;
  }

  get attempt(): number {
    return this.#source.attempt;
  }

  get idempotencyKey(): string {
    const { run, command } = this.#source;
    return `${run.incarnation}-${run.baseSeq}-${command}`;
  }

  get signal(): AbortSignal {
    return this.#source.signal();
  }

  get heartbeat(): () => void {
    return this.#source.beat;
  }

  get logger(): Logger {
    const { logger, run, name, attempt } = this.#source;
    const bound = { workflow: run.workflow, runId: run.runId, activity: name, attempt };
    const write = (level: keyof Logger) => (message: string, fields?: LogFields) =>
      logger[level](message, { ...bound, ...fields });
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }
}
