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
  type WriteCacheResult,
  type WriteOptions,
  UnderWay,
  verbChecks,
} from "@perdure/core/storage";
import { Connection } from "./connection.ts";
import { INFO } from "./info.ts";
import type { Settings } from "./options.ts";
import { Store } from "./store.ts";
import { readCache, writeCache } from "./verbs/cache.ts";
import { claimTasks } from "./verbs/claim-tasks.ts";
import { commitTasks } from "./verbs/commit-tasks.ts";
import { createRuns } from "./verbs/create-runs.ts";
import { deliver } from "./verbs/deliver.ts";
import { listRuns } from "./verbs/list-runs.ts";
import { purgeRuns } from "./verbs/purge-runs.ts";
import { getRun, readEvents } from "./verbs/reads.ts";
import { renewLeases } from "./verbs/renew-leases.ts";
import { statsOf } from "./verbs/stats.ts";
import { unblockTasks } from "./verbs/unblock-tasks.ts";

const checks = verbChecks(INFO);

/** The port over batches of one partition each. The first use connects and sets up. */
export class CosmosBackend implements StorageBackend {
  readonly info: StorageInfo = INFO;
  readonly #settings: Settings;
  readonly #underWay = new UnderWay();
  #connection: Connection | undefined;
  readonly #subscriptions = new Set<Subscription>();
  #opening: Promise<Store> | undefined;
  #store: Store | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  setup(): Promise<void> {
    return this.#verb(undefined, noCheck, async () => {});
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  now(): Promise<Millis> {
    return this.#verb(undefined, noCheck, async (store) => store.now());
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
    return this.#verb(undefined, noCheck, async ({ hub }) => {
      const subscription = hub.subscribe(onWake);
      this.#subscriptions.add(subscription);
      return {
        ...subscription,
        close: () => {
          this.#subscriptions.delete(subscription);
          return subscription.close();
        },
      };
    });
  }

  /** The caller may change afterwards what he gave: verbs may have to decide more than once, so they have a copy. */
  async #verb<A, T>(given: A, check: () => void, work: (store: Store, given: A) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new StorageError("misconfigured", "This Cosmos DB storage was closed. Create another one.");
    }
    check();
    const copy = structuredClone(given);
    return this.#underWay.during(async () => work(this.#store ?? (await this.#open()), copy));
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
    return this.#store;
  }

  async #close(): Promise<void> {
    await this.#underWay.none();
    for (const subscription of this.#subscriptions) await subscription.close();
    this.#connection?.close();
  }
}

function noCheck(): void {}
