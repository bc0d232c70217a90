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
  type VerbChecks,
  verbChecks,
  type WriteCacheResult,
  type WriteOptions,
} from "@perdure/core/storage";
import { inLockOrder, lockOrderOf } from "./lock-order.ts";
import { Session, type SessionOptions } from "./session.ts";
import { each, type Steps } from "./steps.ts";
import type { Turn } from "./turn.ts";
import { readCacheEntry, writeCache } from "./verbs/cache.ts";
import { claimTasks } from "./verbs/claim-tasks.ts";
import { commitTasks } from "./verbs/commit-tasks.ts";
import { createRun, laneKeyOf } from "./verbs/create-runs.ts";
import { deliverMany } from "./verbs/deliver-many.ts";
import { findNothing } from "./verbs/find-nothing.ts";
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
  /** How long a close waits for verbs that have begun, in milliseconds: for as long as one of them waits for the database. */
  readonly patienceMs: number;
}

/**
 * The port over SQL. Each verb checks its arguments and then runs one program in one transaction; the first use connects and
 * sets up.
 */
export class SqlBackend implements StorageBackend {
  readonly info: StorageInfo;
  readonly subscribe?: (onWake: (topic: Topic) => void) => Promise<Subscription>;
  readonly #checks: VerbChecks;
  readonly #session: Session;
  readonly #underWay = new UnderWay();
  readonly #patienceMs: number;
  #closing: Promise<void> | undefined;

  constructor(options: SqlBackendOptions) {
    this.info = options.info;
    this.#checks = verbChecks(options.info);
    this.#session = new Session(options, options.info.limits);
    this.#patienceMs = options.patienceMs;
    if (options.signals !== undefined) {
      this.subscribe = (onWake) => this.#verb(() => this.#session.subscribe(onWake));
    }
  }

  setup(): Promise<void> {
    return this.#verb(async () => {
      await this.#session.open();
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  now(): Promise<Millis> {
    return this.#verb(() => {
      // oxlint-disable-next-line require-yield -- the transaction around it reads the time and keeps it
      return this.#session.writeAt(function* (turn) {
        return turn.now;
      });
    });
  }

  createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]> {
    return this.#verb(async () => {
      this.#checks.createRuns(runs, options);
      if (options?.tx === undefined)
        return this.#session.writeAt((turn) => each(runs, runIdOf, (run) => createRun(turn, run)));
      // Others need the lanes, too, and cannot wait for the caller to end his transaction.
      await this.#session.makeLanes(runs.map(laneKeyOf));
      return this.#session.writeAt((turn) => each(runs, runIdOf, (run) => createRunIn(turn, run)), options.tx);
    });
  }

  getRun(runId: string): Promise<Run | undefined> {
    return this.#verb(() => {
      this.#checks.getRun(runId);
      return this.#session.read((store) => getRun(store, runId));
    });
  }

  listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    return this.#verb(() => {
      this.#checks.listRuns(query);
      return this.#session.read((store) => listRuns(store, query));
    });
  }

  readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    return this.#verb(() => {
      this.#checks.readEvents(requests);
      return this.#session.read((store) => each(requests, runIdOf, (request) => readEvents(store, request)));
    });
  }

  claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    return this.#verb(async () => {
      this.#checks.claimTasks(request);
      const result =
        (await this.#session.shortcut((shortcuts, store) => shortcuts.claim(store, request))) ??
        // An idle worker neither queues for the right to write nor asks a server for more than it has to.
        (await this.#session.lookFirst((turn) => findNothing(turn, request))) ??
        (await this.#session.write((turn) => claimTasks(turn, request)));
      this.#session.quiet.claimed(result);
      return result;
    });
  }

  renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    return this.#verb(() => {
      this.#checks.renewLeases(claims, leaseMs);
      return this.#session.write((turn) =>
        inLockOrder(
          turn,
          claims.map(runIdOf),
          each(
            claims,
            ({ taskId }) => lockOrderOf(taskId),
            (claim) => renewLease(turn, claim, leaseMs),
          ),
        ),
      );
    });
  }

  commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]> {
    return this.#verb(async () => {
      this.#checks.commitTasks(commits, options);
      if (options?.tx !== undefined) return this.#session.write((turn) => commitTasks(turn, commits), options.tx);
      const decided = await this.#session.shortcut((shortcuts, store, topics) =>
        shortcuts.commit(store, commits, topics),
      );
      if (decided === undefined) return this.#session.write((turn) => commitTasks(turn, commits));
      const left = commits.filter((_, at) => decided[at] === undefined);
      if (left.length === 0) return decided as readonly CommitResult[];
      const others = (await this.#session.write((turn) => commitTasks(turn, left)))[Symbol.iterator]();
      return decided.map((result) => result ?? others.next().value!);
    });
  }

  unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    return this.#verb(() => {
      this.#checks.unblockTasks(taskIds);
      return this.#session.write((turn) => each(taskIds, lockOrderOf, (taskId) => unblockTask(turn, taskId)));
    });
  }

  deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]> {
    return this.#verb(() => {
      this.#checks.deliver(messages, options);
      const program = (turn: Turn): Steps<readonly DeliverResult[]> =>
        options?.tx === undefined
          ? deliverMany(turn, messages)
          : each(messages, runIdOf, (message) => deliverIn(turn, message));
      return this.#session.write((turn) => inLockOrder(turn, messages.map(runIdOf), program(turn)), options?.tx);
    });
  }

  readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    return this.#verb(() => {
      this.#checks.readCache(keys);
      return this.#session.readAt((turn) => each(keys, String, (key) => readCacheEntry(turn, key)));
    });
  }

  writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    return this.#verb(() => {
      this.#checks.writeCache(entries);
      return this.#session.writeAt((turn) => writeCache(turn, entries));
    });
  }

  stats(): Promise<StorageStats> {
    return this.#verb(() => this.#session.readAt(statsOf));
  }

  purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    return this.#verb(() => {
      this.#checks.purgeRuns(request);
      return this.#session.writeAt((turn) => purgeRuns(turn, request));
    });
  }

  /** Begins a verb, unless the storage was closed. */
  async #verb<T>(verb: () => Promise<T>): Promise<T> {
    if (this.#closing === undefined) return this.#underWay.during(verb);
    throw new StorageError(
      "misconfigured",
      `This ${this.info.name} storage was closed. Create another one to go on, and close it when nobody uses it any more.`,
    );
  }

  /** Verbs that have begun are answered first; no server that is silent keeps a close for longer than one of them. */
  async #close(): Promise<void> {
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, this.#patienceMs);
    await Promise.race([this.#underWay.none(), isOver]);
    clearTimeout(patience);
    await this.#session.close();
  }
}

function runIdOf({ runId }: { readonly runId: string }): string {
  return runId;
}
