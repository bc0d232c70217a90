import {
  type CacheEntry,
  type CacheKey,
  checkCacheEntries,
  checkCacheKeys,
  checkClaimRequest,
  checkClaims,
  checkCommits,
  checkEventRequests,
  checkLeaseMs,
  checkMessages,
  checkNewRuns,
  checkPurgeRequest,
  checkRunId,
  checkRunQuery,
  checkTaskIds,
  checkTransaction,
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  type CommitResult,
  type CreateRunResult,
  type DeliverResult,
  type EventPage,
  type EventRequest,
  isPerdureError,
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
} from "@perdure/core/storage";
import type { SqlDialect } from "./dialect.ts";
import type { Signals, SqlDriver } from "./driver.ts";
import { Lanes } from "./lanes.ts";
import { Listeners } from "./listeners.ts";
import { enterNamespace } from "./namespaces.ts";
import { RunNumbers } from "./run-numbers.ts";
import { kyselyFor } from "./query.ts";
import { isUpToDate, migrate, outdated } from "./schema/migrate.ts";
import type { Steps } from "./steps.ts";
import type { TopicCode } from "./topics.ts";
import type { Store, Turn } from "./turn.ts";
import { readCacheEntry, writeCacheEntry } from "./verbs/cache.ts";
import { claimTasks, findNothing } from "./verbs/claim-tasks.ts";
import { commitTasks } from "./verbs/commit-tasks.ts";
import { createRun } from "./verbs/create-runs.ts";
import { deliver } from "./verbs/deliver.ts";
import { getRun } from "./verbs/get-run.ts";
import { listRuns } from "./verbs/list-runs.ts";
import { purgeRuns } from "./verbs/purge-runs.ts";
import { readEvents } from "./verbs/read-events.ts";
import { renewLease } from "./verbs/renew-leases.ts";
import { statsOf } from "./verbs/stats.ts";
import { unblockTask } from "./verbs/unblock-tasks.ts";

/** What an adapter brings: its database's SQL, its connection, and how its processes hear of one another. */
export interface SqlBackendOptions {
  readonly info: StorageInfo;
  readonly namespace: string;
  /** `auto`: `setup()` creates and migrates. `check`: it only refuses. */
  readonly migrate: "auto" | "check";
  readonly dialect: SqlDialect;
  readonly driver: SqlDriver;
  /** Absent where `info.capabilities.wakeups` is `none`. */
  readonly signals?: Signals;
}

/**
 * The port over SQL. Each verb checks its arguments and then runs one program in one transaction; the first use connects and
 * sets up.
 */
export class SqlBackend implements StorageBackend {
  readonly info: StorageInfo;
  readonly subscribe?: (onWake: (topic: Topic) => void) => Promise<Subscription>;
  readonly #options: SqlBackendOptions;
  readonly #listeners = new Listeners();
  #store: Store | undefined;
  #opening: Promise<Store> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqlBackendOptions) {
    this.info = options.info;
    this.#options = options;
    const { signals } = options;
    if (signals !== undefined) this.subscribe = (onWake) => this.#subscribe(signals, onWake);
  }

  async setup(): Promise<void> {
    this.#refuseIfClosed();
    await this.#open();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async now(): Promise<Millis> {
    this.#refuseIfClosed();
    return this.#write(function* (turn) {
      return turn.now;
    });
  }

  async createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]> {
    this.#refuseIfClosed();
    checkTransaction("createRuns", options, this.info);
    checkNewRuns(runs, this.info.limits);
    return this.#write((turn) => each(runs, (run) => createRun(turn, run)));
  }

  async getRun(runId: string): Promise<Run | undefined> {
    this.#refuseIfClosed();
    checkRunId(runId);
    return this.#read((store) => getRun(store, runId));
  }

  async listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    this.#refuseIfClosed();
    checkRunQuery(query);
    return this.#read((store) => listRuns(store, query));
  }

  async readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    this.#refuseIfClosed();
    checkEventRequests(requests, this.info.limits);
    return this.#read((store) => each(requests, (request) => readEvents(store, request)));
  }

  async claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    this.#refuseIfClosed();
    checkClaimRequest(request, this.info.limits);
    // An idle worker does not queue for the right to write.
    const nothing = await this.#readAt((turn) => findNothing(turn, request));
    return nothing ?? this.#write((turn) => claimTasks(turn, request));
  }

  async renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    this.#refuseIfClosed();
    checkClaims(claims, this.info.limits);
    checkLeaseMs(leaseMs);
    return this.#write((turn) => each(claims, (claim) => renewLease(turn, claim, leaseMs)));
  }

  async commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]> {
    this.#refuseIfClosed();
    checkTransaction("commitTasks", options, this.info);
    checkCommits(commits, this.info.limits);
    return this.#write((turn) => commitTasks(turn, commits));
  }

  async unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    this.#refuseIfClosed();
    checkTaskIds(taskIds, this.info.limits);
    return this.#write((turn) => each(taskIds, (taskId) => unblockTask(turn, taskId)));
  }

  async deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]> {
    this.#refuseIfClosed();
    checkTransaction("deliver", options, this.info);
    checkMessages(messages, this.info.limits);
    return this.#write((turn) => each(messages, (message) => deliver(turn, message)));
  }

  async readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    this.#refuseIfClosed();
    checkCacheKeys(keys, this.info.limits);
    return this.#readAt((turn) => each(keys, (key) => readCacheEntry(turn, key)));
  }

  async writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    this.#refuseIfClosed();
    checkCacheEntries(entries, this.info.limits);
    return this.#write((turn) => each(entries, (entry) => writeCacheEntry(turn, entry)));
  }

  async stats(): Promise<StorageStats> {
    this.#refuseIfClosed();
    return this.#readAt(statsOf);
  }

  async purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    this.#refuseIfClosed();
    checkPurgeRequest(request, this.info.limits);
    return this.#write((turn) => purgeRuns(turn, request));
  }

  async #subscribe(signals: Signals, onWake: (topic: Topic) => void): Promise<Subscription> {
    this.#refuseIfClosed();
    if (this.#store === undefined) await this.#open();
    const isFirst = this.#listeners.isEmpty;
    const subscription = this.#listeners.add(onWake);
    if (isFirst) await signals.start((codes) => this.#listeners.hear(codes));
    return {
      ...subscription,
      close: async () => {
        await subscription.close();
        if (this.#listeners.isEmpty) await signals.stop();
      },
    };
  }

  /** Runs a program in a transaction that only reads. */
  async #read<T>(program: (store: Store) => Steps<T>): Promise<T> {
    const store = this.#store ?? (await this.#open());
    try {
      return await this.#options.driver.read(() => program(store));
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Runs a program that needs the time in a transaction that only reads. */
  #readAt<T>(program: (turn: Turn) => Steps<T>): Promise<T> {
    const { dialect } = this.#options;
    return this.#read(function* (store) {
      return yield* program({ ...store, now: yield* dialect.now(), topics: new Set() });
    });
  }

  /** Runs a program in a transaction that writes, and then tells whom it woke. */
  async #write<T>(program: (turn: Turn) => Steps<T>): Promise<T> {
    const store = this.#store ?? (await this.#open());
    const { dialect, driver, signals } = this.#options;
    let topics: ReadonlySet<TopicCode> = new Set();
    try {
      const answer = await driver.write(function* () {
        const turn: Turn = { ...store, now: yield* dialect.now(), topics: new Set() };
        const result = yield* program(turn);
        yield* dialect.settle(turn.now, turn.topics);
        ({ topics } = turn);
        return result;
      });
      if (topics.size > 0) {
        this.#listeners.hear(topics);
        signals?.send(topics);
      }
      return answer;
    } catch (error) {
      // What the transaction has added to them may not be there.
      store.numbers.clear();
      store.lanes.clear();
      throw this.#errorOf(error);
    }
  }

  #open(): Promise<Store> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw this.#errorOf(error);
    });
    return this.#opening;
  }

  async #connect(): Promise<Store> {
    const { driver, namespace, info } = this.#options;
    await driver.open();
    await this.#migrate();
    const ns = await driver.write(() => enterNamespace(namespace));
    this.#store = { ns, limits: info.limits, numbers: new RunNumbers(), lanes: new Lanes() };
    return this.#store;
  }

  async #migrate(): Promise<void> {
    const { dialect, driver } = this.#options;
    const state = await this.#schemaState();
    if (state === "current") return;
    if (this.#options.migrate === "check") throw outdated();
    await driver.write(() => migrate(kyselyFor(dialect), dialect));
  }

  async #schemaState(): Promise<"current" | "old" | "none"> {
    try {
      return (await this.#options.driver.read(isUpToDate)) ? "current" : "old";
    } catch (error) {
      const known = this.#errorOf(error);
      if (isPerdureError(known, "schema-version") && known.details["found"] === undefined) return "none";
      throw known;
    }
  }

  async #close(): Promise<void> {
    const { driver, signals } = this.#options;
    await this.#opening?.catch(() => {});
    await signals?.stop();
    this.#store = undefined;
    await driver.close();
  }

  #refuseIfClosed(): void {
    if (this.#closing === undefined) return;
    throw new StorageError(
      "misconfigured",
      `This ${this.info.name} storage was closed. Create another one to go on, and close it when nobody uses it any more.`,
    );
  }

  #errorOf(error: unknown): unknown {
    return isPerdureError(error) ? error : (this.#options.dialect.errorOf(error) ?? error);
  }
}

/** The answers of a verb for the elements of a batch, one after the other. */
function* each<E, R>(elements: readonly E[], verb: (element: E) => Steps<R>): Steps<readonly R[]> {
  const answers: R[] = [];
  for (const element of elements) answers.push(yield* verb(element));
  return answers;
}
