import { boundedCodec } from "../batch/bounded-codec.ts";
import { accessTo, type StorageAccess } from "../batch/storage-access.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import { Registry } from "../define/registry.ts";
import { isPerdureError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import type { Duration } from "../model/duration.ts";
import type { Logger } from "../model/logger.ts";
import type { Runtime } from "../model/runtime.ts";
import { consoleLogger } from "../runtime/console-logger.ts";
import { realRuntime } from "../runtime/real-runtime.ts";
import { safeLogger } from "../runtime/safe-logger.ts";
import type { Subscription, Topic } from "../storage/operations.ts";
import { Claims } from "./claims.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Interceptor } from "./interceptor.ts";
import { tolerateFloatingBranches } from "./floating-branches.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { requireTransactions } from "./require-transactions.ts";
import { requireWorkerSettings, type WorkerOptions } from "./options.ts";
import { Outage } from "./outage.ts";
import { RunCache } from "./run-cache.ts";
import { Semaphore } from "./semaphore.ts";
import { SentTasks } from "./sent-tasks.ts";

/** Runs workflows. Any number of workers, in any number of processes, may share a store. */
export interface Worker {
  /**
   * Works until `stop()` is called or `signal` fires; resolves when everything is handed back. A storage that is unavailable is
   * waited for.
   * @throws StorageError of any other code: the worker has stopped then
   */
  run(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Takes what is ready, once, at most `max` runs and activities of others, and resolves when they have parked or ended, with their
   * number.
   */
  runOnce(options?: { readonly max?: number }): Promise<number>;
  /** Works until nothing is ready; timers of the future do not count. A storage that is unavailable is waited for. */
  runUntilIdle(): Promise<void>;
  /**
   * Claims nothing more, lets activities that run end for as long as `grace` (default 10 s), then hands everything back: other
   * workers go on at once.
   */
  stop(options?: { readonly grace?: Duration }): Promise<void>;
}

/**
 * Makes a worker. Nothing happens before `run`.
 * @throws UsageError `duplicate-definition`; `invalid-argument` for a bad or unknown option. Its first use throws UsageError
 * `unsupported` for a transactional activity on a storage that cannot join transactions.
 * @example
 * const worker = createWorker({ storage, workflows: [order] });
 * await worker.run({ signal });
 */
export function createWorker(options: WorkerOptions): Worker {
  return new StorageWorker(options, null);
}

/** A worker whose activities do not run by themselves: for the test kit. */
export function createInterceptedWorker(options: WorkerOptions, intercept: Interceptor): Worker {
  return new StorageWorker(options, intercept);
}

/** How long a storage that is unavailable at the start is left alone. */
const RETRY_MS = 500;

class StorageWorker implements Worker {
  readonly #access: StorageAccess;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #queues: readonly string[];
  readonly #claims: Claims;
  readonly #keeper: LeaseKeeper;
  readonly #sentTasks: SentTasks;
  /** Activities that need a storage which can join transactions. Where they may be mocked, each attempt sees for itself. */
  readonly #transactional: readonly string[];
  /** Ends the tolerance for branches of workflow code that nobody awaits. */
  #intolerant: () => void = () => {};
  readonly #outage: Outage;
  #hints: Subscription | null = null;
  /** Since somebody wants this worker to keep leases and to listen; `null` while nobody does. */
  #ready: Promise<void> | null = null;
  #users = 0;
  #working: Promise<void> | null = null;
  #stopped: () => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #stopping: Promise<void> | null = null;

  constructor(options: WorkerOptions, intercept: Interceptor | null) {
    const settings = requireWorkerSettings(options);
    const registry = new Registry(options.workflows, options.activities);
    this.#transactional = intercept === null ? registry.transactionalNames : [];
    this.#runtime = options.runtime ?? realRuntime;
    this.#logger = safeLogger(options.logger === undefined ? consoleLogger : options.logger);
    this.#queues = settings.queues;
    this.#access = accessTo(options.storage, this.#runtime);
    this.#sentTasks = new SentTasks(this.#access, this.#runtime, this.#logger);
    this.#outage = new Outage(this.#logger, this.#runtime);
    const environment: WorkerEnvironment = {
      access: this.#access,
      runtime: this.#runtime,
      codec: boundedCodec(options.codec ?? jsonCodec, options.storage),
      logger: this.#logger,
      registry,
      cache: new RunCache(settings.cacheRuns),
      slots: new Semaphore(settings.activities),
      leaseMs: settings.leaseMs,
      maxDeliveries: settings.maxDeliveries,
      sentTasks: this.#sentTasks,
      outage: this.#outage,
      serves: (queue) => settings.queues.includes(queue),
      historyLimits: settings.historyLimits,
      hints: () => this.#hints,
      intercept,
    };
    this.#claims = new Claims(environment, settings, {
      taken: () => this.#keeper.watch(),
      fatal: (error) => this.#fail(error),
    });
    this.#keeper = new LeaseKeeper(environment, this.#claims);
  }

  run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#working ??= this.#work(options.signal);
    return this.#working;
  }

  async runOnce(options: { readonly max?: number } = {}): Promise<number> {
    return this.#during(() => this.#claims.takeOnce(options.max ?? Infinity));
  }

  async runUntilIdle(): Promise<void> {
    await this.#during(async () => {
      this.#claims.start();
      await this.#claims.whenIdle();
    });
  }

  stop(options: { readonly grace?: Duration } = {}): Promise<void> {
    const graceMs = requireDuration(options.grace ?? "10s", "grace of worker.stop");
    this.#stopping ??= this.#drain(graceMs);
    return this.#stopping;
  }

  async #work(signal?: AbortSignal): Promise<void> {
    if (this.#stopping !== null || signal?.aborted === true) return;
    const stop = (): void => void this.stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await this.#during(() => this.#untilStopped());
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async #untilStopped(): Promise<void> {
    const stopped = new Promise<void>((resolve, reject) => {
      this.#stopped = resolve;
      this.#fail = reject;
    });
    if (this.#stopping !== null) return;
    this.#claims.start();
    try {
      await stopped;
    } finally {
      this.#claims.abandon();
    }
  }

  /** Keeps leases and listens to hints while `work` goes on. */
  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      await (this.#ready ??= this.#open());
      return await work();
    } finally {
      if (--this.#users === 0) await this.#close();
    }
  }

  async #open(): Promise<void> {
    this.#intolerant = tolerateFloatingBranches();
    while (this.#stopping === null) {
      try {
        await this.#access.ready();
        for (const name of this.#transactional) requireTransactions(name, this.#access.storage.info);
        await this.#listen();
        return this.#outage.isOver();
      } catch (error) {
        if (!isPerdureError(error, "unavailable")) throw error;
        this.#outage.begins(error);
        await new Promise<void>((resolve) => this.#runtime.after(RETRY_MS, resolve));
      }
    }
  }

  async #close(): Promise<void> {
    const hints = this.#hints;
    this.#ready = this.#hints = null;
    this.#claims.pause();
    this.#keeper.stop();
    this.#sentTasks.stop();
    this.#intolerant();
    await hints?.close().catch(() => {});
  }

  async #drain(graceMs: number): Promise<void> {
    const cancel = this.#runtime.after(graceMs, () => void this.#claims.drain(true));
    await this.#claims.drain(false);
    cancel();
    this.#stopped();
    await this.#working?.catch(() => {});
  }

  async #listen(): Promise<void> {
    const { storage } = this.#access;
    if (storage.subscribe === undefined) return;
    this.#hints = await storage.subscribe((topic) => this.#hinted(topic));
    for (const queue of this.#queues) this.#hints.add({ of: "queue", queue });
  }

  #hinted(topic: Topic): void {
    if (topic.of === "queue") this.#claims.look();
    else if (topic.of === "inbox") this.#keeper.lookAt(topic.runId);
  }
}
