import { ACTIVITIES } from "../definitions.ts";
import type { Store } from "../station/store.ts";
import type { Filling } from "../tasks/fill.ts";

/** WORKFLOW_STARTED, the completion of each activity, WORKFLOW_COMPLETED. */
const EVENTS = ACTIVITIES + 2;

/** So often W1 is done before it is measured warm: what runs is compiled and optimized by then. */
const WARM_UPS = 4;

/** What one round of W1 took. */
export interface Round<T> {
  /** Milliseconds until all starts were acknowledged. */
  readonly startMs: number;
  readonly done: T;
}

/** W1 on one store, again and again. */
export class Rounds<T> {
  readonly #client: Store["client"];
  readonly #runs: number;
  readonly #work: () => Promise<T>;
  readonly #runIds: string[] = [];

  /** @param work does so many runs that are enqueued */
  constructor({ client }: Store, runs: number, work: () => Promise<T>) {
    this.#client = client;
    this.#runs = runs;
    this.#work = work;
  }

  /** How many runs there have been. */
  get runs(): number {
    return this.#runIds.length;
  }

  async warmUp(): Promise<void> {
    for (let at = 0; at < WARM_UPS; at++) await this.next();
  }

  /** Enqueues the runs and has them done. */
  async next(): Promise<Round<T>> {
    const { ms: startMs, runIds } = await this.#client.call("enqueue", { runs: this.#runs });
    this.#runIds.push(...runIds);
    return { startMs, done: await this.#work() };
  }

  /** @throws Error unless every run of all rounds has its outcome and every event, beside what the store was filled with */
  async check(filling?: Filling): Promise<void> {
    await this.#client.call("check", { runIds: this.#runIds, events: EVENTS, filling });
  }
}
