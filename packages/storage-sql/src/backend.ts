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
  type Millis,
  type NewCacheEntry,
  type NewMessage,
  type NewRun,
  type Page,
  type PurgeRequest,
  parseTaskId,
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
import { Session, type SessionOptions } from "./session.ts";
import { each } from "./steps.ts";
import { readCacheEntry, writeCacheEntry } from "./verbs/cache.ts";
import { claimTasks, findNothing } from "./verbs/claim-tasks.ts";
import { commitTasks } from "./verbs/commit-tasks.ts";
import { createRun, laneKeyOf } from "./verbs/create-runs.ts";
import { deliver } from "./verbs/deliver.ts";
import { getRun } from "./verbs/get-run.ts";
import { createRunIn, deliverIn } from "./verbs/joined.ts";
import { listRuns } from "./verbs/list-runs.ts";
import { purgeRuns } from "./verbs/purge-runs.ts";
import { readEvents } from "./verbs/read-events.ts";
import { renewLease } from "./verbs/renew-leases.ts";
import { statsOf } from "./verbs/stats.ts";
import { unblockTask } from "./verbs/unblock-tasks.ts";

/** What an adapter brings: its database's SQL, its connection, and how its processes hear of one another. */
export interface SqlBackendOptions extends SessionOptions {
  readonly info: StorageInfo;
}

/**
 * The port over SQL. Each verb checks its arguments and then runs one program in one transaction; the first use connects and
 * sets up.
 */
export class SqlBackend implements StorageBackend {
  readonly info: StorageInfo;
  readonly subscribe?: (onWake: (topic: Topic) => void) => Promise<Subscription>;
  readonly #session: Session;
  #closing: Promise<void> | undefined;

  constructor(options: SqlBackendOptions) {
    this.info = options.info;
    this.#session = new Session(options, options.info.limits);
    if (options.signals !== undefined) this.subscribe = (onWake) => this.#subscribe(onWake);
  }

  async setup(): Promise<void> {
    this.#refuseIfClosed();
    await this.#session.open();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#session.close();
    await this.#closing;
  }

  async now(): Promise<Millis> {
    this.#refuseIfClosed();
    // oxlint-disable-next-line require-yield -- the transaction around it reads the time and keeps it
    return this.#session.writeAt(function* (turn) {
      return turn.now;
    });
  }

  async createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]> {
    this.#refuseIfClosed();
    checkTransaction("createRuns", options, this.info);
    checkNewRuns(runs, this.info.limits);
    if (options?.tx === undefined)
      return this.#session.writeAt((turn) => each(runs, runIdOf, (run) => createRun(turn, run)));
    // Others need the lanes, too, and cannot wait for the caller to end his transaction.
    await this.#session.makeLanes(runs.map(laneKeyOf));
    return this.#session.writeAt((turn) => each(runs, runIdOf, (run) => createRunIn(turn, run)), options.tx);
  }

  async getRun(runId: string): Promise<Run | undefined> {
    this.#refuseIfClosed();
    checkRunId(runId);
    return this.#session.read((store) => getRun(store, runId));
  }

  async listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    this.#refuseIfClosed();
    checkRunQuery(query);
    return this.#session.read((store) => listRuns(store, query));
  }

  async readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    this.#refuseIfClosed();
    checkEventRequests(requests, this.info.limits);
    return this.#session.read((store) => each(requests, runIdOf, (request) => readEvents(store, request)));
  }

  async claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    this.#refuseIfClosed();
    checkClaimRequest(request, this.info.limits);
    const answer =
      (await this.#session.shortcut((shortcuts, store) => shortcuts.claim(store, request))) ??
      // An idle worker does not queue for the right to write.
      (await this.#session.lookFirst((turn) => findNothing(turn, request)));
    return answer ?? this.#session.write((turn) => claimTasks(turn, request));
  }

  async renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    this.#refuseIfClosed();
    checkClaims(claims, this.info.limits);
    checkLeaseMs(leaseMs);
    return this.#session.write((turn) => each(claims, lockOrderOf, (claim) => renewLease(turn, claim, leaseMs)));
  }

  async commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]> {
    this.#refuseIfClosed();
    checkTransaction("commitTasks", options, this.info);
    checkCommits(commits, this.info.limits, options);
    if (options?.tx !== undefined) return this.#session.write((turn) => commitTasks(turn, commits), options.tx);
    const decided = await this.#session.shortcut((shortcuts, store, topics) =>
      shortcuts.commit(store, commits, topics),
    );
    if (decided === undefined) return this.#session.write((turn) => commitTasks(turn, commits));
    const left = commits.filter((_, at) => decided[at] === undefined);
    if (left.length === 0) return decided as readonly CommitResult[];
    const others = (await this.#session.write((turn) => commitTasks(turn, left)))[Symbol.iterator]();
    return decided.map((result) => result ?? others.next().value!);
  }

  async unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    this.#refuseIfClosed();
    checkTaskIds(taskIds, this.info.limits);
    return this.#session.write((turn) => each(taskIds, String, (taskId) => unblockTask(turn, taskId)));
  }

  async deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]> {
    this.#refuseIfClosed();
    checkTransaction("deliver", options, this.info);
    checkMessages(messages, this.info.limits);
    const deliverOne = options?.tx === undefined ? deliver : deliverIn;
    return this.#session.write((turn) => each(messages, runIdOf, (message) => deliverOne(turn, message)), options?.tx);
  }

  async readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    this.#refuseIfClosed();
    checkCacheKeys(keys, this.info.limits);
    return this.#session.readAt((turn) => each(keys, String, (key) => readCacheEntry(turn, key)));
  }

  async writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    this.#refuseIfClosed();
    checkCacheEntries(entries, this.info.limits);
    return this.#session.writeAt((turn) =>
      each(
        entries,
        ({ key }) => key,
        (entry) => writeCacheEntry(turn, entry),
      ),
    );
  }

  async stats(): Promise<StorageStats> {
    this.#refuseIfClosed();
    return this.#session.readAt(statsOf);
  }

  async purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    this.#refuseIfClosed();
    checkPurgeRequest(request, this.info.limits);
    return this.#session.writeAt((turn) => purgeRuns(turn, request));
  }

  async #subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    this.#refuseIfClosed();
    return this.#session.subscribe(onWake);
  }

  #refuseIfClosed(): void {
    if (this.#closing === undefined) return;
    throw new StorageError(
      "misconfigured",
      `This ${this.info.name} storage was closed. Create another one to go on, and close it when nobody uses it any more.`,
    );
  }
}

function runIdOf({ runId }: { readonly runId: string }): string {
  return runId;
}

/** By run, and a run's workflow task before its activity tasks: as everybody locks them. */
function lockOrderOf({ taskId, runId }: Claim): string {
  const seq = parseTaskId(taskId)?.seq ?? 0;
  return `${runId}\0${String(seq).padStart(16, "0")}`;
}
