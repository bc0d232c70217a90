import { AssertionError } from "node:assert";
import { type Client, createClient } from "../client/client.ts";
import type { ShownStatus } from "../client/describe.ts";
import type { RunHandle } from "../client/handle.ts";
import type { AnyActivity } from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { MemoryBackend } from "../memory/backend.ts";
import { type VirtualClock, virtualClock } from "../memory/clock.ts";
import { MemoryStore } from "../memory/store.ts";
import type { Duration } from "../model/duration.ts";
import type { Millis } from "../model/ids.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { ClaimResult } from "../storage/task.ts";
import type { WorkerOptions } from "../worker/options.ts";
import type { Worker } from "../worker/worker.ts";
import {
  type CrashAfterOptions,
  type CrashAtOptions,
  type CrashBeforeOptions,
  Crashes,
  type PlannedCrash,
} from "./crashes.ts";
import { exportHistory } from "./export-history.ts";
import { type Mock, Mocks } from "./mocks.ts";
import { quietLogger } from "./quiet-logger.ts";
import { readHistory, type RunHistory } from "./run-history.ts";
import { StorageCalls } from "./storage-calls.ts";
import type { RestartOptions, TestEnvironment, TestEnvironmentOptions } from "./test-environment.ts";
import { type VirtualRuntime, virtualRuntime } from "./virtual-runtime.ts";
import { watchedStorage } from "./watched-storage.ts";
import { WorkerProcess } from "./worker-process.ts";

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

const CLOSED: ReadonlySet<string> = new Set<ShownStatus>(["completed", "failed", "cancelled"]);

/** What may change when a worker can go on. */
const WRITES: ReadonlySet<keyof StorageBackend> = new Set(["createRuns", "deliver", "commitTasks", "unblockTasks"]);

class VirtualEnvironment implements TestEnvironment {
  readonly storage: StorageBackend;
  readonly clock: VirtualClock;
  readonly runtime: VirtualRuntime;
  readonly client: Client;
  readonly #ownStorage: StorageBackend | null;
  readonly #mocks: Mocks;
  readonly #crashes = new Crashes();
  #options: Omit<WorkerOptions, "storage" | "runtime">;
  #process: WorkerProcess;
  #isClosed = false;
  /** Until the worker is idle. */
  #working: Promise<void> | null = null;
  /** When the worker can go on by itself, as its last claim said; unknown when that took something, or something was written since. */
  #nextReadyAt: Millis | null | undefined;
  #claims = 0;
  /** Writes so far, and as of when patience ended last. */
  #writes = 0;
  #writesSeen = -1;
  readonly #calls: StorageCalls;

  constructor({
    storage,
    clock = virtualClock(),
    seed = "test",
    unmocked = "run",
    ...options
  }: TestEnvironmentOptions) {
    this.clock = clock;
    this.runtime = virtualRuntime(clock, seed);
    this.#calls = new StorageCalls(clock, PATIENCE_MS);
    const given = storage ?? ((own) => new MemoryBackend(new MemoryStore(own).namespace("default")));
    this.#ownStorage = typeof given === "function" ? given(clock) : null;
    this.storage = watchedStorage(this.#ownStorage ?? (given as StorageBackend), (verb) => this.#called(verb));
    const { codec } = options;
    this.client = createClient({ storage: this.storage, runtime: this.runtime, ...(codec !== undefined && { codec }) });
    this.#mocks = new Mocks(unmocked);
    this.#options = options;
    this.#process = this.#start(options);
  }

  get worker(): Worker {
    return this.#process.worker;
  }

  async runUntilIdle(): Promise<void> {
    // What is under way may have passed over what has become ready since.
    await this.#working;
    await this.#work();
  }

  async skip(time: Duration): Promise<void> {
    const until = this.clock.now() + requireDuration(time, "time of env.skip");
    await this.#rest();
    for (let next = this.#nextDueAt(); next <= until && !this.#isClosed; next = this.#nextDueAt()) {
      this.clock.set(next);
      await this.#rest();
    }
    this.clock.set(until);
    await this.#rest();
  }

  async result<Output>(run: RunHandle<Output>, options: { readonly within?: Duration } = {}): Promise<Output> {
    const { within = "365d" } = options;
    const until = this.clock.now() + requireDuration(within, "within of env.result");
    await this.#rest();
    while (!this.#isClosed && !CLOSED.has(await run.status())) {
      const next = this.#nextDueAt();
      if (next > until) {
        const { why } = await run.describe();
        throw new AssertionError({
          message: `Run "${run.runId}" has not ended, and ${next === Infinity ? "no time will end it" : `will not within ${within}`}. ${why}`,
        });
      }
      this.clock.set(next);
      await this.#rest();
    }
    return run.result();
  }

  async history(run: { readonly runId: string } | string): Promise<RunHistory> {
    const exported = await exportHistory(this.storage, typeof run === "string" ? run : run.runId);
    return readHistory(exported, this.#options);
  }

  async timeline(run: { readonly runId: string } | string): Promise<string> {
    return (await this.history(run)).timeline();
  }

  mock(
    activity: AnyActivity | string,
    execute: (input: never, context: ActivityContext) => unknown,
  ): Mock<never, never> {
    return this.#mocks.set(activity, execute) as Mock<never, never>;
  }

  unmock(activity: AnyActivity | string): void {
    this.#mocks.delete(activity);
  }

  crash(): void {
    this.#process.life.end();
  }

  crashBefore(activity: AnyActivity | string, options: CrashBeforeOptions = {}): PlannedCrash {
    return this.#crashes.beforeCode(activity, options);
  }

  crashAfter(activity: AnyActivity | string, options: CrashAfterOptions = {}): PlannedCrash {
    return this.#crashes.afterCode(activity, options);
  }

  crashAt(nth: number, options: CrashAtOptions = {}): PlannedCrash {
    return this.#crashes.atWrite(nth, options);
  }

  async restart(options: RestartOptions = {}): Promise<void> {
    const all = { ...this.#options, ...options };
    const successor = this.#start(all);
    this.#options = all;
    if (!this.#process.life.isOver) {
      await this.#rest();
      await this.#process.stop();
      await this.#working;
    }
    this.#process = successor;
    this.#nextReadyAt = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#process.stop();
    await this.#working;
    await this.client.close();
    await this.#ownStorage?.close();
  }

  #start(options: Omit<WorkerOptions, "storage" | "runtime">): WorkerProcess {
    const all = { logger: quietLogger, ...options, storage: this.storage, runtime: this.runtime };
    const process = new WorkerProcess(all, this.#mocks, this.#crashes, () => {
      if (this.#process === process && !this.#isClosed) this.#process = this.#start(this.#options);
    });
    return process;
  }

  #work(): Promise<void> {
    this.#working ??= this.#workUntilKnown().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  async #workUntilKnown(): Promise<void> {
    let claims: number;
    let process: WorkerProcess;
    do {
      claims = this.#claims;
      process = this.#process;
      await process.runUntilIdle();
      await this.#calls.answered();
      // A worker that has stopped claims nothing.
    } while (process !== this.#process || (this.#nextReadyAt === undefined && claims !== this.#claims));
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
        if (await this.#calls.answered()) continue;
        if (this.#writes === this.#writesSeen) return;
        this.#writesSeen = this.#writes;
        await new Promise((resolve) => void setTimeout(resolve, PATIENCE_MS));
      }
    };
    await Promise.race([ended, stalled()]);
    // Other workers over the storage get their turns before time goes on.
    await this.runtime.calm();
  }

  #nextDueAt(): Millis {
    const readyAt = this.#process.life.isOver ? null : this.#nextReadyAt;
    const next = Math.min(this.runtime.nextDueAt() ?? Infinity, readyAt ?? Infinity);
    return Math.max(next, this.clock.now() + 1);
  }

  #called(verb: keyof StorageBackend): (answer: unknown) => void {
    const over = this.#calls.begin();
    this.runtime.stir();
    return (answer) => {
      over();
      this.#answered(verb, answer);
    };
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
