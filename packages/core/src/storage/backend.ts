import type { Millis, TaskId } from "../model/ids.ts";
import type { CacheEntry, CacheKey, NewCacheEntry, WriteCacheResult } from "./cache.ts";
import type { CommitResult, TaskCommit } from "./commit.ts";
import type { EventPage, EventRequest } from "./event.ts";
import type { StorageInfo } from "./info.ts";
import type { DeliverResult, NewMessage } from "./message.ts";
import type { PurgeRequest, PurgeResult, StorageStats, Subscription, Topic } from "./operations.ts";
import type { CreateRunResult, NewRun, Page, Run, RunQuery, RunSummary } from "./run.ts";
import type { Claim, ClaimRequest, ClaimResult, RenewResult, UnblockResult } from "./task.ts";

/**
 * The caller's own transaction on the same store, for verbs that `info.capabilities.transactions` names. What the verb writes is
 * there when the caller commits, all of it, and nothing is left of it when he rolls back; before that, nobody else sees any of it,
 * is woken or told. Answers see what the transaction wrote before and what others have committed by then, also where it
 * reads as of its beginning. Calls that overlap in one transaction are answered as if each had waited for the one before. Whatever the
 * verb throws, the transaction is fit for nothing but to be rolled back. Runs that the transaction did not name are not held up by it.
 *
 * In `commitTasks` for activity commits only; there, for a verb that is not declared, and for an object that is no transaction
 * of this store, or one that is over, it is refused (UsageError `invalid-argument`, `unsupported`). Undefined is none.
 */
export interface WriteOptions {
  readonly tx?: unknown;
}

/**
 * Where runs live. Implement these verbs and run the conformance suite: what it accepts, the engine can trust.
 *
 * Rules that hold for every verb:
 * - It takes a batch. Elements are independent: a refused one changes nothing and does not disturb its neighbours. Results
 *   stand in the order of the elements. Each element is applied atomically; the batch as a whole need not be, but every
 *   element that was answered is durable when the promise resolves.
 * - Payloads are opaque text: stored and returned byte for byte, never parsed. NUL and lone surrogates are refused (I23).
 * - What is passed in may be changed afterwards by the caller, and so may what was answered: neither changes the store.
 * - Ids are byte-exact: no folding of case, no trimming (I22).
 * - Only the storage's clock decides (I24); one verb reads it once.
 * - A malformed argument throws `UsageError` (`invalid-argument`, `payload-too-large`) before anything of its batch is written:
 *   `verbChecks` has a check for each verb, and every verb calls its own first (I29). Trouble of the
 *   store throws `StorageError`. Losing a lease is an answer, never an exception.
 * - A verb that threw `StorageError` `unavailable` may or may not have been applied: the caller repeats the identical call.
 */
export interface StorageBackend {
  readonly info: StorageInfo;

  /**
   * Creates or migrates the schema. Comes before every other verb. Idempotent, and safe when ten processes call it at once (I25).
   * @throws StorageError `schema-version` when the store was written by newer code; `read-only`, `corrupt`, `misconfigured`.
   */
  setup(): Promise<void>;

  /**
   * Releases connections, timers and handles (I28). Every later verb throws StorageError `misconfigured`, at once; those that have
   * begun are answered first, as always: it waits for them, for as long as one of them waits for a store that is silent. Idempotent.
   */
  close(): Promise<void>;

  /**
   * The storage's clock: never less than any earlier answer of this store (but see {@link Millis}). Where a machine's clock was set
   * back, it stands still until that has caught up, or goes on from where it was.
   */
  now(): Promise<Millis>;

  /**
   * Stores each run with its workflow task and its first event, atomically. Idempotent by (runId, startHash): uniqueness of the
   * id is decided by the write itself (I15). The same id twice in a batch: the second sees the first.
   */
  createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]>;

  /** The run, or undefined. Always reads the newest state. */
  getRun(runId: string): Promise<Run | undefined>;

  /**
   * One page of runs by immutable keys (I19): a run that exists throughout is seen exactly once, whatever is written between the
   * pages; one whose status changes may appear or vanish for a filter, but never twice.
   * @throws UsageError `invalid-argument` for a cursor that is not ours.
   */
  listRuns(query: RunQuery): Promise<Page<RunSummary>>;

  /** Events of each run after a seq, dense and in order (I1, I2). One page for each request. */
  readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]>;

  /**
   * Hands out claimable tasks, each to one caller (I8). Claimable: `readyAt <= now`, no live lease, not blocked, of one of the
   * queues, kinds and handlers; closed tasks too, until they are done. Order: ascending `readyAt − priority × 10 000`, so that
   * nothing starves (I27); equals in any order. A lease is live while `now < leaseUntil`. Each acquisition adds one to the epoch
   * and to the delivery count, and sets the lease to `now + leaseMs`; a block whose `until` has come is handed out with its
   * reason. While a claim stands, the end of its lease takes the place of `readyAt`, whatever the task waited for before: one
   * that was claimed by its id, blocked or not, is claimable when that lease ends. For tasks of this very instance that are
   * absent from `holding`, see {@link ClaimRequest.holding}.
   */
  claimTasks(request: ClaimRequest): Promise<ClaimResult>;

  /**
   * Sets the lease of each claim that still owns its task to `now + leaseMs`: also one that expired and that nobody re-claimed.
   * The same claim twice in a batch is renewed once and answered twice.
   */
  renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]>;

  /**
   * Applies each commit as a whole, in array order, or refuses it: see {@link CommitResult} for the order of checks. At most one
   * workflow commit for each task in a batch (the second is `invalid`); any number of activity commits for one run.
   * A workflow commit resets the delivery count, but for `block`.
   */
  commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]>;

  /** Lifts blocks: ready now, delivery count 0, reason cleared. A task that somebody holds stays with its holder. */
  unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]>;

  /**
   * Stores each message in its run's inbox under the next number and wakes the run's task in the same write (I11): it is
   * claimable at once if no lease lives, also before its first turn was due, else at the lease's end or the holder's park. A
   * blocked task is not woken.
   */
  deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]>;

  /** The unexpired entry of each key, or undefined. */
  readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]>;

  /** Writes entries; whether an old one has expired is decided in the same statement by the storage's clock. */
  writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]>;

  /** Counts at one moment. */
  stats(): Promise<StorageStats>;

  /** Deletes what {@link PurgeRequest} describes, each run atomically and with everything that belongs to it. */
  purgeRuns(request: PurgeRequest): Promise<PurgeResult>;

  /**
   * Hints that something may be claimable, that a held run has a message, that a run closed. Losing or inventing one costs latency,
   * never correctness. Absent where `wakeups` is `none`.
   */
  subscribe?(onWake: (topic: Topic) => void): Promise<Subscription>;

  /**
   * The part of the store in which a run lies, by its id, or a cache entry, by its key. Parts may be out of reach each by itself, as the
   * masters of a Redis Cluster are: the engine sends no batch to several of them, so that none waits for another. Answers at once, also
   * before `setup()`, and never throws. Absent where the store is reached as a whole.
   */
  partOf?(id: string): number;
}
