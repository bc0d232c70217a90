import type { OpenActivity } from "../engine/open-command.ts";
import { CancelledError } from "../errors/index.ts";
import type { RunHeader } from "../model/run.ts";
import { ActivityAttempt, type AttemptOutcome } from "./activity-attempt.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** The attempts of one run's activities that are running in this process, each in a slot of the worker's. */
export class Attempts {
  readonly #environment: WorkerEnvironment;
  readonly #run: RunHeader;
  readonly #ended: (attempt: ActivityAttempt, outcome: AttemptOutcome) => void;
  readonly #slotFree: () => void;
  readonly #running = new Map<number, ActivityAttempt>();

  constructor(
    environment: WorkerEnvironment,
    run: RunHeader,
    on: { readonly ended: (attempt: ActivityAttempt, outcome: AttemptOutcome) => void; readonly slotFree: () => void },
  ) {
    this.#environment = environment;
    this.#run = run;
    this.#ended = on.ended;
    this.#slotFree = on.slotFree;
  }

  get size(): number {
    return this.#running.size;
  }

  has(command: number): boolean {
    return this.#running.has(command);
  }

  /** Starts an attempt if a slot is free; without one, `slotFree` is called later. */
  start(activity: OpenActivity): boolean {
    const { slots, codec, logger, runtime, access } = this.#environment;
    if (!slots.take(this.#slotFree)) return false;
    const environment = { codec, logger, runtime, now: () => access.clock.latest() };
    const attempt = new ActivityAttempt(environment, this.#run, activity, (outcome) => this.#ended(attempt, outcome));
    this.#running.set(activity.command, attempt);
    void attempt.execute();
    return true;
  }

  /** Takes an attempt that has ended out. Answers whether it was still wanted. */
  end(attempt: ActivityAttempt): boolean {
    if (this.#running.get(attempt.command) !== attempt) return false;
    this.#running.delete(attempt.command);
    this.#environment.slots.release();
    return true;
  }

  /** Aborts those that `keep` does not want: their signal fires, their slot is free, their outcome is dropped. */
  abort(reason: string, keep: (command: number) => boolean = () => false): void {
    for (const attempt of this.#running.values()) {
      if (keep(attempt.command)) continue;
      this.end(attempt);
      attempt.abort(new CancelledError({ reason }));
    }
  }

  /** Commands whose attempt has been running since before `startedBefore` (monotonic). */
  *slow(startedBefore: number): Iterable<number> {
    for (const { command, startedAt } of this.#running.values()) if (startedAt <= startedBefore) yield command;
  }
}
