import { setTimeout as sleep } from "node:timers/promises";
import type { Millis, StorageBackend } from "@perdure/core/storage";
import type { Journal } from "./journal.ts";
import type { BackendUnderTest } from "./subject.ts";

/** The store's time: moved where the subject can, waited for where it cannot. */
export class StoreTime {
  readonly #subject: BackendUnderTest;
  readonly #namespace: string;
  readonly #backend: StorageBackend;
  readonly #journal: Journal;

  constructor(subject: BackendUnderTest, namespace: string, backend: StorageBackend, journal: Journal) {
    this.#subject = subject;
    this.#namespace = namespace;
    this.#backend = backend;
    this.#journal = journal;
  }

  /** A lease or a delay that a case is going to wait for: long enough to do something meanwhile. */
  get short(): number {
    return this.#subject.advance === undefined ? 500 : 5_000;
  }

  /** How much later than promised leases end and timers fire, by the clock of whoever looks. */
  get errorMs(): number {
    const { clock } = this.#backend.info.capabilities;
    return clock.kind === "client" ? clock.errorMs : 0;
  }

  /** The same for the client that is furthest behind, by the clock of the first: half of the error is between them. */
  get latestMs(): number {
    return this.errorMs + Math.ceil(this.errorMs / 2);
  }

  /** When what ends or is due at a moment is claimable. */
  claimableAt(at: Millis): Millis {
    return at + this.errorMs;
  }

  now(): Promise<Millis> {
    return this.#backend.now();
  }

  /** Lets so many milliseconds pass in the store. `written`: how the calls that lead to a failure say it. */
  async pass(ms: number, written = String(ms)): Promise<void> {
    const moves = this.#subject.advance !== undefined;
    this.#journal.note(`await ${moves ? "advance" : "sleep"}(${written});`);
    if (moves) await this.#subject.advance!(this.#namespace, ms);
    else await sleep(ms);
  }

  /** Lets time pass until what is due at `at` must have come for all clients: exactly `at` where time can be moved and is that of all. */
  async until(at: Millis): Promise<void> {
    const due = at + this.latestMs;
    for (;;) {
      const left = due - (await this.now());
      if (left <= 0) return;
      await this.pass(left);
    }
  }

  /** Sets the clock under the store back. */
  async stepBack(ms: number): Promise<void> {
    this.#journal.note(`await stepBack(${ms});`);
    await this.#subject.stepBack!(this.#namespace, ms);
  }

  /** Waits in real time. */
  async wait(ms: number): Promise<void> {
    await sleep(ms);
  }
}
