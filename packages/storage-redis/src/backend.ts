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
  StorageError,
  type StorageInfo,
  type StorageStats,
  type Subscription,
  type TaskCommit,
  type TaskId,
  type Topic,
  type UnblockResult,
  UnderWay,
  verbChecks,
  type WriteCacheResult,
  type WriteOptions,
} from "@perdure/core/storage";
import { Connection } from "./connection.ts";
import { Hints } from "./hints.ts";
import { infoOf } from "./info.ts";
import type { Settings } from "./options.ts";
import { shardOf } from "./shards.ts";
import { Store } from "./store.ts";
import { commitTasks, createRuns, deliver, readEvents, renewLeases, unblockTasks } from "./verbs/batches.ts";
import { readCache, writeCache } from "./verbs/cache.ts";
import { claimTasks } from "./verbs/claim-tasks.ts";
import { listRuns } from "./verbs/list-runs.ts";
import { purgeRuns } from "./verbs/purge-runs.ts";
import { getRun } from "./verbs/get-run.ts";
import { statsOf } from "./verbs/stats.ts";

/** No argument is judged by what the server keeps. */
const checks = verbChecks(infoOf("memory"));

/** The port over scripts that run in the server: each verb checks its arguments and sends a script. The first use connects and sets up. */
export class RedisBackend implements StorageBackend {
  readonly #settings: Settings;
  readonly #underWay = new UnderWay();
  #connection: Connection | undefined;
  #hints: Hints | undefined;
  #opening: Promise<Store> | undefined;
  #store: Store | undefined;
  #closing: Promise<void> | undefined;
  /** Before `setup()` nobody knows what the server keeps. */
  #info: StorageInfo;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#info = infoOf(settings.durability ?? "memory");
  }

  get info(): StorageInfo {
    return this.#info;
  }

  setup(): Promise<void> {
    return this.#verb(undefined, noCheck, async () => {});
  }

  partOf(id: string): number {
    return this.#store === undefined ? 0 : shardOf(id, this.#store.shards);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  now(): Promise<Millis> {
    return this.#verb(undefined, noCheck, (store) => store.now());
  }

  createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]> {
    return this.#verb(runs, () => checks.createRuns(runs, options), createRuns);
  }

  getRun(runId: string): Promise<Run | undefined> {
    return this.#verb(runId, () => checks.getRun(runId), getRun);
  }

  listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    return this.#verb(query, () => checks.listRuns(query), listRuns);
  }

  readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    return this.#verb(requests, () => checks.readEvents(requests), readEvents);
  }

  claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    return this.#verb(request, () => checks.claimTasks(request), claimTasks);
  }

  renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    return this.#verb(
      claims,
      () => checks.renewLeases(claims, leaseMs),
      (store, all) => renewLeases(store, all, leaseMs),
    );
  }

  commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]> {
    return this.#verb(commits, () => checks.commitTasks(commits, options), commitTasks);
  }

  unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    return this.#verb(taskIds, () => checks.unblockTasks(taskIds), unblockTasks);
  }

  deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]> {
    return this.#verb(messages, () => checks.deliver(messages, options), deliver);
  }

  readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    return this.#verb(keys, () => checks.readCache(keys), readCache);
  }

  writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    return this.#verb(entries, () => checks.writeCache(entries), writeCache);
  }

  stats(): Promise<StorageStats> {
    return this.#verb(undefined, noCheck, statsOf);
  }

  purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    return this.#verb(request, () => checks.purgeRuns(request), purgeRuns);
  }

  subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    return this.#verb(undefined, noCheck, ({ connection, channel }) => {
      this.#hints ??= new Hints(connection, channel);
      return this.#hints.subscribe(onWake);
    });
  }

  /** The caller may change afterwards what he gave: it is used before anything is awaited, or copied if the store is not open yet. */
  async #verb<A, T>(given: A, check: () => void, work: (store: Store, given: A) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new StorageError("misconfigured", "This Redis storage was closed. Create another one.");
    }
    check();
    const store = this.#store;
    if (store !== undefined) return this.#underWay.during(() => work(store, given));
    const copy = structuredClone(given);
    return this.#underWay.during(async () => work(await this.#open(), copy));
  }

  async #open(): Promise<Store> {
    this.#connection ??= new Connection(this.#settings);
    this.#opening ??= Store.open(this.#connection, this.#settings);
    try {
      this.#store = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    this.#info = infoOf(this.#store.durability);
    return this.#store;
  }

  async #close(): Promise<void> {
    await this.#underWay.none();
    await this.#hints?.close();
    await this.#connection?.close();
  }
}

function noCheck(): void {}
