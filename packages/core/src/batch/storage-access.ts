import type { Millis } from "../model/ids.ts";
import type { Runtime } from "../model/runtime.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { CacheEntry, CacheKey, NewCacheEntry, WriteCacheResult } from "../storage/cache.ts";
import type { ActivityCommit, CommitResult, TaskCommit } from "../storage/commit.ts";
import type { EventRequest, StoredEvent } from "../storage/event.ts";
import type { TransactionalVerb } from "../storage/info.ts";
import type { DeliverResult, NewMessage } from "../storage/message.ts";
import type { CreateRunResult, NewRun } from "../storage/run.ts";
import type { Claim, ClaimRequest, ClaimResult, RenewResult } from "../storage/task.ts";
import { checkTransaction } from "../storage/validate.ts";
import { Batcher, type Patience } from "./batcher.ts";
import { PartedBatcher } from "./parted-batcher.ts";
import { requireCapabilities, requireContract, requireStorage } from "./require-storage.ts";
import { StorageClock } from "./storage-clock.ts";

/** An answer, and when its request was sent (monotonic): from then a lease counts for the one who holds it. */
export interface Sent<T> {
  readonly result: T;
  readonly sentAt: number;
}

/** Everybody's way to one backend: its writes go through one queue each (of each part of the store), and every answer teaches the clock. */
export class StorageAccess {
  readonly storage: StorageBackend;
  readonly clock: StorageClock;
  readonly runtime: Runtime;
  readonly #commits: PartedBatcher<TaskCommit, CommitResult>;
  readonly #loneCommits: PartedBatcher<TaskCommit, CommitResult>;
  readonly #starts: PartedBatcher<NewRun, CreateRunResult>;
  readonly #messages: PartedBatcher<NewMessage, DeliverResult>;
  readonly #cacheReads: PartedBatcher<CacheKey, CacheEntry | undefined>;
  readonly #cacheWrites: PartedBatcher<NewCacheEntry, WriteCacheResult>;
  #ready: Promise<void> | null = null;

  constructor(storage: StorageBackend, runtime: Runtime) {
    this.storage = storage;
    this.runtime = runtime;
    this.clock = new StorageClock(runtime.monotonic);
    const { batch } = storage.info.limits;
    const queues = <T, R>(
      idOf: (item: T) => string,
      limit: number,
      patience: Patience,
      send: (items: readonly T[]) => Promise<readonly R[]>,
    ): PartedBatcher<T, R> =>
      new PartedBatcher(
        (item) => this.partOf(idOf(item)),
        () => new Batcher(runtime, limit, patience, send),
      );
    const ofClaim = ({ claim }: TaskCommit): string => claim.runId;
    this.#commits = queues(ofClaim, batch, "endless", (commits) => this.#sendCommits(commits));
    this.#loneCommits = queues(ofClaim, 1, "endless", (commits) => this.#sendCommits(commits));
    this.#starts = queues(
      ({ runId }: NewRun) => runId,
      batch,
      "some",
      (runs) => storage.createRuns(runs),
    );
    this.#messages = queues(
      ({ runId }: NewMessage) => runId,
      batch,
      "some",
      (messages) => storage.deliver(messages),
    );
    this.#cacheReads = queues(
      (key) => key,
      batch,
      "endless",
      (keys) => storage.readCache(keys),
    );
    this.#cacheWrites = queues(
      ({ key }) => key,
      batch,
      "endless",
      (entries) => storage.writeCache(entries),
    );
  }

  /** The part of the store that has a run or a cache entry: each may be out of reach by itself. */
  partOf(id: string): number {
    return this.storage.partOf?.(id) ?? 0;
  }

  /** Sets the storage up, once. A failed set-up is tried again by the next call. */
  ready(): Promise<void> {
    this.#ready ??= this.#setUp().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  /**
   * {@link ready}, and able to join the caller's transaction, if there is one, in these verbs.
   * @throws UsageError `unsupported`
   */
  async readyFor(tx: unknown, ...verbs: readonly TransactionalVerb[]): Promise<void> {
    await this.ready();
    for (const verb of verbs) checkTransaction(verb, { tx }, this.storage.info);
  }

  /** Waits for a storage that is unavailable: whoever loses the lease meanwhile stops caring. */
  commit(commit: TaskCommit): Promise<CommitResult> {
    return this.#commits.add(commit);
  }

  /** The same for a commit that may take long: others do not wait for it. */
  commitAlone(commit: TaskCommit): Promise<CommitResult> {
    return this.#loneCommits.add(commit);
  }

  create(run: NewRun): Promise<CreateRunResult> {
    return this.#starts.add(run);
  }

  deliver(message: NewMessage): Promise<DeliverResult> {
    return this.#messages.add(message);
  }

  // Inside a caller's transaction: alone, at once, and once. An error has spoiled the transaction, which is the caller's to repeat.

  createIn(tx: unknown, runs: readonly NewRun[]): Promise<readonly CreateRunResult[]> {
    return this.storage.createRuns(runs, { tx });
  }

  async deliverIn(tx: unknown, message: NewMessage): Promise<DeliverResult> {
    const [result] = await this.storage.deliver([message], { tx });
    return result!;
  }

  async commitIn(tx: unknown, commit: ActivityCommit): Promise<CommitResult> {
    const [result] = await this.storage.commitTasks([commit], { tx });
    return result!;
  }

  /** Waits for a storage that is unavailable. */
  readCache(key: CacheKey): Promise<CacheEntry | undefined> {
    return this.#cacheReads.add(key);
  }

  /** Waits for a storage that is unavailable. */
  writeCache(entry: NewCacheEntry): Promise<WriteCacheResult> {
    return this.#cacheWrites.add(entry);
  }

  async claim(request: ClaimRequest): Promise<Sent<ClaimResult>> {
    const sentAt = this.runtime.monotonic();
    const result = await this.storage.claimTasks(request);
    this.clock.learn(result.now, sentAt);
    return { result, sentAt };
  }

  async renew(claims: readonly Claim[], leaseMs: number): Promise<Sent<readonly RenewResult[]>> {
    const sentAt = this.runtime.monotonic();
    const result = await this.storage.renewLeases(claims, leaseMs);
    this.#learn(result, sentAt);
    return { result, sentAt };
  }

  /** All events of a run after a seq. */
  async readAll(request: Omit<EventRequest, "limit">): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = [];
    for (let { after } = request; ; after = events.at(-1)!.seq) {
      const [page] = await this.storage.readEvents([{ ...request, after }]);
      events.push(...page!.events);
      if (page!.events.length === 0 || events.at(-1)!.seq >= page!.lastSeq) return events;
    }
  }

  async #setUp(): Promise<void> {
    requireContract(this.storage.info);
    await this.storage.setup();
    requireCapabilities(this.storage.info);
    const sentAt = this.runtime.monotonic();
    this.clock.learn(await this.storage.now(), sentAt);
  }

  async #sendCommits(commits: readonly TaskCommit[]): Promise<readonly CommitResult[]> {
    const sentAt = this.runtime.monotonic();
    const results = await this.storage.commitTasks(commits);
    this.#learn(results, sentAt);
    return results;
  }

  #learn(results: readonly (CommitResult | RenewResult)[], sentAt: number): void {
    let now: Millis | undefined;
    for (const result of results) if ("now" in result) now = result.now;
    if (now !== undefined) this.clock.learn(now, sentAt);
  }
}

const accesses = new WeakMap<StorageBackend, Map<Runtime, StorageAccess>>();

/**
 * The one access to a backend: clients and workers over the same backend share their transactions.
 * @throws UsageError `invalid-argument` for what is no storage
 */
export function accessTo(storage: StorageBackend, runtime: Runtime): StorageAccess {
  requireStorage(storage);
  let known = accesses.get(storage);
  if (known === undefined) accesses.set(storage, (known = new Map()));
  let access = known.get(runtime);
  if (access === undefined) known.set(runtime, (access = new StorageAccess(storage, runtime)));
  return access;
}
