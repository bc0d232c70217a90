import {
  type CacheEntry,
  type CacheKey,
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  type CommitResult,
  type CreateRunResult,
  type DeliverResult,
  type EventPage,
  type EventRequest,
  type Millis,
  type NewCacheEntry,
  type NewMessage,
  type NewRun,
  type Page,
  type PurgeRequest,
  type PurgeResult,
  type RenewResult,
  type Run,
  type RunQuery,
  type RunSummary,
  type StorageBackend,
  type StorageInfo,
  type StorageStats,
  type Subscription,
  type TaskCommit,
  type TaskId,
  type Topic,
  type UnblockResult,
  type WriteCacheResult,
  type WriteOptions,
  verbChecks,
  type VerbChecks,
} from "@perdure/core/storage";
import type { Disk } from "./disk.ts";
import { infoOf } from "./info.ts";
import type { Settings } from "./options.ts";
import { Store } from "./store.ts";

/** The port over a store in a folder: checks what it is asked for, and says what of it the store does under its lock. */
export class FileBackend implements StorageBackend {
  readonly info: StorageInfo;
  readonly #checks: VerbChecks;
  readonly #store: Store;

  constructor(settings: Settings, disk: Disk) {
    this.info = infoOf(settings);
    this.#checks = verbChecks(this.info);
    this.#store = new Store(settings, disk);
  }

  setup(): Promise<void> {
    return this.#store.setup();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async now(): Promise<Millis> {
    return this.#store.read([], (_, now) => now);
  }

  async createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]> {
    this.#checks.createRuns(runs, options);
    return this.#store.write(runs, (replica, all, now) => replica.createRuns(all, now));
  }

  async getRun(runId: string): Promise<Run | undefined> {
    this.#checks.getRun(runId);
    return this.#store.read([{ of: "run", runId }], (replica) => replica.getRun(runId));
  }

  async listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    this.#checks.listRuns(query);
    return this.#store.read(undefined, (replica) => replica.listRuns(query));
  }

  async readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    this.#checks.readEvents(requests);
    const subjects = requests.map(({ runId }) => ({ of: "run", runId }) as const);
    return this.#store.read(subjects, (replica) => replica.readEvents(requests));
  }

  async claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    this.#checks.claimTasks(request);
    return this.#store.write(request, (replica, asked, now) => replica.claimTasks(asked, now));
  }

  async renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    this.#checks.renewLeases(claims, leaseMs);
    return this.#store.write(claims, (replica, all, now) => replica.renewLeases(all, leaseMs, now));
  }

  async commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]> {
    this.#checks.commitTasks(commits, options);
    return this.#store.write(commits, (replica, all, now) => replica.commitTasks(all, now));
  }

  async unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    this.#checks.unblockTasks(taskIds);
    return this.#store.write(taskIds, (replica, all, now) => replica.unblockTasks(all, now));
  }

  async deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]> {
    this.#checks.deliver(messages, options);
    return this.#store.write(messages, (replica, all, now) => replica.deliver(all, now));
  }

  async readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    this.#checks.readCache(keys);
    const subjects = keys.map((key) => ({ of: "cache", key }) as const);
    return this.#store.read(subjects, (replica, now) => replica.readCache(keys, now));
  }

  async writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    this.#checks.writeCache(entries);
    return this.#store.write(entries, (replica, all, now) => replica.writeCache(all, now));
  }

  async stats(): Promise<StorageStats> {
    return this.#store.read(undefined, (replica, now) => replica.stats(now));
  }

  async purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    this.#checks.purgeRuns(request);
    return this.#store.write(request, (replica, asked, now) => replica.purgeRuns(asked, now));
  }

  async subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    return this.#store.subscribe(onWake);
  }
}
