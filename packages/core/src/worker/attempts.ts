import { idempotencyKey } from "../engine/activity-task.ts";
import type { OpenActivity } from "../engine/open-command.ts";
import { CancelledError } from "../errors/index.ts";
import type { RunHeader } from "../model/run.ts";
import type { Claim } from "../storage/task.ts";
import type { ActivityCall } from "./activity-call.ts";
import { ActivityAttempt, type AttemptOutcome } from "./activity-attempt.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** An attempt that came to its end by itself. */
export interface EndedAttempt {
  readonly command: number;
  readonly attempt: ActivityAttempt;
  readonly outcome: AttemptOutcome;
}

/** The attempts of one run's activities that are running in this process, each in a slot of the worker's. */
export class Attempts {
  readonly #environment: WorkerEnvironment;
  readonly #claim: Claim;
  readonly #ended: (ended: EndedAttempt) => void;
  readonly #slotFree: () => void;
  readonly #mayBegin: () => boolean;
  readonly #running = new Map<number, ActivityAttempt>();
  /** Commands that an earlier holder may have begun to execute. */
  readonly #suspect = new Set<number>();

  constructor(
    environment: WorkerEnvironment,
    claim: Claim,
    on: {
      readonly ended: (ended: EndedAttempt) => void;
      readonly slotFree: () => void;
      readonly mayBegin: () => boolean;
    },
  ) {
    this.#environment = environment;
    this.#claim = claim;
    this.#ended = on.ended;
    this.#slotFree = on.slotFree;
    this.#mayBegin = on.mayBegin;
  }

  get size(): number {
    return this.#running.size;
  }

  has(command: number): boolean {
    return this.#running.has(command);
  }

  /** Somebody else may have executed these. */
  suspect(commands: Iterable<number>): void {
    for (const command of commands) this.#suspect.add(command);
  }

  /** Starts an attempt if a slot is free; without one, `slotFree` is called later. */
  start(run: RunHeader, activity: OpenActivity): boolean {
    const { slots } = this.#environment;
    if (!slots.take(this.#slotFree)) return false;
    const { command } = activity;
    const call = {
      ...callOf(run, activity),
      claim: this.#claim,
      mayBegin: this.#mayBegin,
      resumes: this.#mayResume(activity),
    };
    const attempt = new ActivityAttempt(this.#environment, call, (outcome) =>
      this.#ended({ command, attempt, outcome }),
    );
    this.#running.set(command, attempt);
    void attempt.execute();
    return true;
  }

  /** Something of this call may have been executed before. */
  #mayResume({ command, attempt, recorded }: OpenActivity): boolean {
    return attempt > 1 || recorded || this.#suspect.has(command);
  }

  /** Aborts those that `keep` does not want: their signal fires, their slot is free, their outcome is dropped. */
  abort(reason: string, keep: (command: number) => boolean = () => false): void {
    for (const [command, attempt] of this.#running) {
      if (keep(command)) continue;
      this.end({ command, attempt });
      attempt.abort(new CancelledError({ reason }));
    }
  }

  /** Aborts all: commands are numbered anew from here on. */
  startOver(reason: string): void {
    this.abort(reason);
    this.#suspect.clear();
  }

  /** Commands whose attempt has been running since before `startedBefore` (monotonic). */
  *slow(startedBefore: number): Iterable<number> {
    for (const [command, { startedAt }] of this.#running) if (startedAt <= startedBefore) yield command;
  }

  /** Takes an attempt that has ended out. Answers whether it was still wanted. */
  end({ command, attempt }: Pick<EndedAttempt, "command" | "attempt">): boolean {
    if (this.#running.get(command) !== attempt) return false;
    this.#running.delete(command);
    this.#environment.slots.release();
    return true;
  }
}

function callOf(run: RunHeader, activity: OpenActivity): Omit<ActivityCall, "claim" | "mayBegin" | "resumes"> {
  const { command, name, attempt, settings, inputSchema, outputSchema, execute, cache, input } = activity;
  return {
    runId: run.runId,
    workflow: run.workflow,
    command,
    name,
    attempt,
    idempotencyKey: idempotencyKey(run, command),
    inputSchema,
    outputSchema,
    execute,
    cache,
    // Those that have one go out as tasks.
    transaction: null,
    timeoutMs: settings.timeoutMs,
    heartbeatTimeoutMs: settings.heartbeatTimeoutMs,
    input,
  };
}
