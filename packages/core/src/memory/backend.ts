import { StorageError } from "../errors/storage-error.ts";
import type { Millis, TaskId } from "../model/ids.ts";
import type { StorageBackend, WriteOptions } from "../storage/backend.ts";
import type { CacheEntry, CacheKey, NewCacheEntry, WriteCacheResult } from "../storage/cache.ts";
import type { CommitResult, TaskCommit } from "../storage/commit.ts";
import type { EventPage, EventRequest } from "../storage/event.ts";
import type { StorageInfo } from "../storage/info.ts";
import type { DeliverResult, NewMessage } from "../storage/message.ts";
import type { PurgeRequest, PurgeResult, StorageStats, Subscription, Topic } from "../storage/operations.ts";
import type { CreateRunResult, NewRun, Page, Run, RunQuery, RunSummary } from "../storage/run.ts";
import type { Claim, ClaimRequest, ClaimResult, RenewResult, UnblockResult } from "../storage/task.ts";
import { verbChecks } from "../storage/verb-checks.ts";
import { readCacheEntry, writeCacheEntry } from "./cache.ts";
import { claimTasks } from "./claim.ts";
import { commitTasks } from "./commit.ts";
import { createRun } from "./create.ts";
import { deliver } from "./deliver.ts";
import { INFO } from "./info.ts";
import { listRuns } from "./list.ts";
import { purgeRuns } from "./purge.ts";
import { readEvents } from "./read-events.ts";
import { renewLease } from "./renew.ts";
import { statsOf } from "./stats.ts";
import type { Namespace } from "./store.ts";
import { MemoryTransaction, writeIn } from "./transaction.ts";
import { unblockTask } from "./unblock.ts";
import { runOf } from "./views.ts";

const { limits } = INFO;
const checks = verbChecks(INFO);

/** What `memory()` makes: a backend, and transactions for its callers. */
export interface MemoryStorage extends StorageBackend {
  /**
   * Has a function do several things in one transaction: `client.start(…, { tx })` and others that take `tx`. All of it is there when
   * the function has resolved, nothing when it has rejected. Answers what the function answers.
   * @throws what the function throws; StorageError `unavailable` when others have written to its runs meanwhile so that something
   * would be answered differently: nothing was written then
   */
  transaction<T>(run: (tx: MemoryTransaction) => Promise<T>): Promise<T>;
}

/**
 * The port over plain maps: the model that every other backend is measured by. To write one, read `records.ts` (what is
 * stored), then `tasks.ts` (who owns what, and what is claimed first), then the file of each verb.
 *
 * Each verb refuses to work after `close`, checks its arguments, reads the clock once, and then does all its work without
 * awaiting anything: that is what makes it atomic here.
 */
export class MemoryBackend implements MemoryStorage {
  readonly info: StorageInfo = INFO;
  readonly #space: Namespace;
  readonly #subscriptions = new Set<Subscription>();
  #isClosed = false;

  constructor(space: Namespace) {
    this.#space = space;
  }

  async setup(): Promise<void> {
    this.#open();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const subscription of this.#subscriptions) await subscription.close();
    this.#subscriptions.clear();
  }

  async now(): Promise<Millis> {
    return this.#open().clock.now();
  }

  async createRuns(runs: readonly NewRun[], options: WriteOptions = {}): Promise<readonly CreateRunResult[]> {
    const space = this.#open();
    checks.createRuns(runs, options);
    const now = space.clock.now();
    const runIdOf = ({ runId }: NewRun): string => runId;
    return writeIn(space, options, runs, runIdOf, (into, all) => all.map((run) => createRun(into, run, now)));
  }

  async getRun(runId: string): Promise<Run | undefined> {
    const space = this.#open();
    checks.getRun(runId);
    const run = space.runs.get(runId);
    return run && runOf(run);
  }

  async listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    const space = this.#open();
    checks.listRuns(query);
    return listRuns(space, query);
  }

  async readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    const space = this.#open();
    checks.readEvents(requests);
    return requests.map((request) => readEvents(space, request, limits));
  }

  async claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    const space = this.#open();
    checks.claimTasks(request);
    return claimTasks(space, request, limits, space.clock.now());
  }

  async renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    const space = this.#open();
    checks.renewLeases(claims, leaseMs);
    const now = space.clock.now();
    return claims.map((claim) => renewLease(space, claim, leaseMs, now));
  }

  async commitTasks(commits: readonly TaskCommit[], options: WriteOptions = {}): Promise<readonly CommitResult[]> {
    const space = this.#open();
    checks.commitTasks(commits, options);
    const now = space.clock.now();
    const runIdOf = ({ claim }: TaskCommit): string => claim.runId;
    return writeIn(space, options, commits, runIdOf, (into, all) => commitTasks(into, all, limits, now));
  }

  async unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    const space = this.#open();
    checks.unblockTasks(taskIds);
    const now = space.clock.now();
    return taskIds.map((taskId) => unblockTask(space, taskId, now));
  }

  async deliver(messages: readonly NewMessage[], options: WriteOptions = {}): Promise<readonly DeliverResult[]> {
    const space = this.#open();
    checks.deliver(messages, options);
    const now = space.clock.now();
    const runIdOf = ({ runId }: NewMessage): string => runId;
    return writeIn(space, options, messages, runIdOf, (into, all) => {
      return all.map((message) => deliver(into, message, limits, now));
    });
  }

  async readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    const space = this.#open();
    checks.readCache(keys);
    const now = space.clock.now();
    return keys.map((key) => readCacheEntry(space, key, now));
  }

  async writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    const space = this.#open();
    checks.writeCache(entries);
    const now = space.clock.now();
    return entries.map((entry) => writeCacheEntry(space, entry, now));
  }

  async stats(): Promise<StorageStats> {
    const space = this.#open();
    return statsOf(space, space.clock.now());
  }

  async purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    const space = this.#open();
    checks.purgeRuns(request);
    return purgeRuns(space, request, limits, space.clock.now());
  }

  async subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    const subscription = this.#open().hints.subscribe(onWake);
    this.#subscriptions.add(subscription);
    return {
      ...subscription,
      close: () => {
        this.#subscriptions.delete(subscription);
        return subscription.close();
      },
    };
  }

  async transaction<T>(run: (tx: MemoryTransaction) => Promise<T>): Promise<T> {
    const tx = new MemoryTransaction(this.#open());
    try {
      const answer = await run(tx);
      this.#open();
      tx.commit();
      return answer;
    } finally {
      tx.end();
    }
  }

  #open(): Namespace {
    if (!this.#isClosed) return this.#space;
    throw new StorageError("misconfigured", "This memory storage was closed. Create another one over the same store.");
  }
}
