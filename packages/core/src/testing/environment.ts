import { type Client, createClient } from "../client/client.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { MemoryBackend } from "../memory/backend.ts";
import { type VirtualClock, virtualClock } from "../memory/clock.ts";
import { MemoryStore } from "../memory/store.ts";
import type { Duration } from "../model/duration.ts";
import type { Millis } from "../model/ids.ts";
import type { Runtime } from "../model/runtime.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { ClaimResult } from "../storage/task.ts";
import type { WorkerOptions } from "../worker/options.ts";
import { createWorker, type Worker } from "../worker/worker.ts";
import { type VirtualRuntime, virtualRuntime } from "./virtual-runtime.ts";
import { watchedStorage } from "./watched-storage.ts";

/** What a test works with. Everything but `workflows` has a default. */
export interface TestEnvironmentOptions extends Omit<WorkerOptions, "storage" | "runtime"> {
  /** Closed by whoever made it; its time must be that of `clock`. Default: memory, closed with the environment. */
  readonly storage?: StorageBackend;
  readonly clock?: VirtualClock;
  /** Reproduces ids, jitter and all other chance. Environments that share a store need different ones. */
  readonly seed?: string;
}

/** A client and a worker over one store, in virtual time: days pass when the test says so, and cost nothing. */
export interface TestEnvironment {
  readonly storage: StorageBackend;
  readonly clock: VirtualClock;
  /** For further clients and workers over {@link storage}. */
  readonly runtime: Runtime;
  readonly client: Client;
  readonly worker: Worker;
  /** Lets the worker work until nothing is ready, however long its activities take. No virtual time passes. */
  runUntilIdle(): Promise<void>;
  /**
   * Lets virtual time pass: stops wherever a timer, a retry, a deadline or a lease is due, and runs until idle there. An activity
   * that is still running after 20 ms of real time in which nothing happened is taken to wait for virtual time: it goes on.
   */
  skip(time: Duration): Promise<void>;
  /** Stops the worker and closes what the environment made. */
  close(): Promise<void>;
}

/**
 * Makes a test environment. Each is alone in its world: any number may be used side by side.
 *
 * @throws UsageError `duplicate-definition`, `invalid-argument`
 * @example
 * const env = createTestEnvironment({ workflows: [reminder] });
 * const run = await env.client.start(reminder, { to: "ada" });
 * await env.skip("3d");
 * console.log(await run.result());
 * await env.close();
 */
export function createTestEnvironment(options: TestEnvironmentOptions): TestEnvironment {
  return new VirtualEnvironment(options);
}

/** Real time that the world outside gets before virtual time goes on without it. */
const PATIENCE_MS = 20;

/** What may change when a worker can go on. */
const WRITES: ReadonlySet<keyof StorageBackend> = new Set(["createRuns", "deliver", "commitTasks", "unblockTasks"]);

class VirtualEnvironment implements TestEnvironment {
  readonly storage: StorageBackend;
  readonly clock: VirtualClock;
  readonly runtime: VirtualRuntime;
  readonly client: Client;
  readonly worker: Worker;
  readonly #ownStorage: StorageBackend | null;
  /** Until the worker is idle. */
  #working: Promise<void> | null = null;
  /** When the worker can go on by itself, as its last claim said; unknown when that took something, or something was written since. */
  #nextReadyAt: Millis | null | undefined;
  #claims = 0;
  /** Writes so far, and as of when patience ended last. */
  #writes = 0;
  #writesSeen = -1;

  constructor({ storage, clock = virtualClock(), seed = "test", ...options }: TestEnvironmentOptions) {
    this.clock = clock;
    this.runtime = virtualRuntime(clock, seed);
    this.#ownStorage = storage === undefined ? new MemoryBackend(new MemoryStore(clock).namespace("default")) : null;
    this.storage = watchedStorage(storage ?? this.#ownStorage!, {
      called: () => this.runtime.stir(),
      answered: (verb, answer) => this.#answered(verb, answer),
    });
    const { codec } = options;
    this.client = createClient({ storage: this.storage, runtime: this.runtime, ...(codec !== undefined && { codec }) });
    this.worker = createWorker({ ...options, storage: this.storage, runtime: this.runtime });
  }

  async runUntilIdle(): Promise<void> {
    // What is under way may have passed over what has become ready since.
    await this.#working;
    await this.#work();
  }

  async skip(time: Duration): Promise<void> {
    const until = this.clock.now() + requireDuration(time, "time of env.skip");
    await this.#rest();
    for (let next = this.#nextDueAt(); next <= until; next = this.#nextDueAt()) {
      this.clock.set(next);
      await this.#rest();
    }
    this.clock.set(until);
    await this.#rest();
  }

  async close(): Promise<void> {
    await this.worker.stop({ grace: 0 });
    await this.#working;
    await this.client.close();
    await this.#ownStorage?.close();
  }

  #work(): Promise<void> {
    this.#working ??= this.#workUntilKnown().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  async #workUntilKnown(): Promise<void> {
    let claims: number;
    do {
      claims = this.#claims;
      await this.worker.runUntilIdle();
      // A worker that has stopped claims nothing.
    } while (this.#nextReadyAt === undefined && claims !== this.#claims);
  }

  /** Works until the worker is idle, or waits for time. */
  async #rest(): Promise<void> {
    const working = this.#work();
    let idle = false;
    const ended = working.finally(() => {
      idle = true;
    });
    const stalled = async (): Promise<void> => {
      while (!idle) {
        await this.runtime.calm();
        if (this.#writes === this.#writesSeen) return;
        this.#writesSeen = this.#writes;
        await new Promise((resolve) => void setTimeout(resolve, PATIENCE_MS));
      }
    };
    await Promise.race([ended, stalled()]);
  }

  #nextDueAt(): Millis {
    const next = Math.min(this.runtime.nextDueAt() ?? Infinity, this.#nextReadyAt ?? Infinity);
    return Math.max(next, this.clock.now() + 1);
  }

  #answered(verb: keyof StorageBackend, answer: unknown): void {
    this.runtime.stir();
    if (verb === "claimTasks" && answer !== undefined) {
      this.#claims++;
      const { tasks, nextReadyAt } = answer as ClaimResult;
      this.#nextReadyAt = tasks.length > 0 ? undefined : nextReadyAt;
    } else if (WRITES.has(verb)) {
      this.#writes++;
      this.#nextReadyAt = undefined;
    }
  }
}
