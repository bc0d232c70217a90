import type { Millis, TaskId } from "../model/ids.ts";
import type { CacheEntry, CacheKey, NewCacheEntry, WriteCacheResult } from "../storage/cache.ts";
import type { CommitResult, TaskCommit } from "../storage/commit.ts";
import type { EventPage, EventRequest } from "../storage/event.ts";
import type { Limits } from "../storage/info.ts";
import type { DeliverResult, NewMessage } from "../storage/message.ts";
import type { PurgeRequest, PurgeResult, StorageStats, Subscription, Topic } from "../storage/operations.ts";
import type { CreateRunResult, NewRun, Page, Run, RunQuery, RunSummary } from "../storage/run.ts";
import type { Claim, ClaimRequest, ClaimResult, RenewResult, UnblockResult } from "../storage/task.ts";
import { applyChange } from "./apply-change.ts";
import { readCacheEntry, writeCacheEntry } from "./cache.ts";
import type { Change } from "./change.ts";
import { claimTasks } from "./claim.ts";
import { type MemoryClock, StoreClock } from "./clock.ts";
import { commitTasks } from "./commit.ts";
import { createRun } from "./create.ts";
import { deliver } from "./deliver.ts";
import { imageOfEntry, imageOfRun } from "./image.ts";
import { listRuns } from "./list.ts";
import { findPurgeable, removeRuns } from "./purge.ts";
import { readEvents } from "./read-events.ts";
import type { RunRecord } from "./records.ts";
import { renewLease } from "./renew.ts";
import { statsOf } from "./stats.ts";
import { Namespace } from "./store.ts";
import { unblockTask } from "./unblock.ts";
import { runOf } from "./views.ts";

/** What a verb answers, and what has to be kept of it. */
export interface Written<A> {
  readonly answer: A;
  readonly changes: readonly Change[];
}

/**
 * The records of one namespace in memory, for storages that keep the changes of them elsewhere: in a journal, say. All verbs of the
 * port are here, without their checks of arguments, at a time that the caller gives. Each is done when it returns, with all that it
 * changed: kept by the caller, and applied in the same order to another replica, that makes the same records there.
 *
 * Answers are copies; what is passed in is copied, too, but `changes` refer to it.
 */
export class Replica {
  readonly #limits: Limits;
  readonly #clock: StoreClock;
  #space: Namespace;

  constructor({ limits, clock }: { readonly limits: Limits; readonly clock: MemoryClock }) {
    this.#limits = limits;
    this.#clock = new StoreClock(clock);
    this.#space = new Namespace(this.#clock);
  }

  /** The time: the clock's, but never less than before, nor than any that was reached. */
  now(): Millis {
    return this.#clock.now();
  }

  /** Somebody has written at this time. */
  reach(time: Millis): void {
    this.#clock.reach(time);
  }

  /** Forgets all records, but not who waits for hints, nor the time. */
  clear(): void {
    this.#space = new Namespace(this.#clock, this.#space.hints);
  }

  /** Makes a change that was made elsewhere. Answers whether it could be made here: else something before it is missing. */
  apply(change: Change, at: Millis): boolean {
    if (change.do !== "purge") return applyChange(this.#space, change, this.#limits, at);
    const run = this.#space.runs.get(change.runId);
    if (run !== undefined) removeRuns(this.#space, new Set([run]));
    return run !== undefined;
  }

  /** Changes that make these records in an empty replica. */
  *image(): Generator<Change> {
    for (const run of this.#space.runs.oldestFirst()) yield { do: "restore-run", image: imageOfRun(run) };
    for (const entry of this.#space.cache.values()) yield { do: "restore-entry", image: imageOfEntry(entry) };
  }

  createRuns(runs: readonly NewRun[], now: Millis): Written<readonly CreateRunResult[]> {
    return written(
      runs,
      (run) => createRun(this.#space, run, now),
      (run, { status }) => (status === "created" ? { do: "create", run } : undefined),
    );
  }

  getRun(runId: string): Run | undefined {
    const run = this.#space.runs.get(runId);
    return run && runOf(run);
  }

  listRuns(query: RunQuery): Page<RunSummary> {
    return listRuns(this.#space, query);
  }

  readEvents(requests: readonly EventRequest[]): readonly EventPage[] {
    return requests.map((request) => readEvents(this.#space, request, this.#limits));
  }

  claimTasks(request: ClaimRequest, now: Millis): Written<ClaimResult> {
    const answer = claimTasks(this.#space, request, this.#limits, now);
    const { workerId, workerInstance } = request;
    const changes = answer.tasks.map(({ claim: { taskId }, leaseUntil, deliveries }): Change => {
      return { do: "claim", taskId, workerId, workerInstance, leaseUntil, deliveries };
    });
    return { answer, changes };
  }

  renewLeases(claims: readonly Claim[], leaseMs: number, now: Millis): Written<readonly RenewResult[]> {
    return written(
      claims,
      (claim) => renewLease(this.#space, claim, leaseMs, now),
      ({ taskId }, result) =>
        result.status === "held" ? { do: "renew", taskId, leaseUntil: result.leaseUntil } : undefined,
    );
  }

  commitTasks(commits: readonly TaskCommit[], now: Millis): Written<readonly CommitResult[]> {
    const answer = commitTasks(this.#space, commits, this.#limits, now);
    const applied = commits.filter((_, at) => answer[at]?.status === "ok");
    return { answer, changes: applied.map((commit): Change => ({ do: "commit", commit })) };
  }

  unblockTasks(taskIds: readonly TaskId[], now: Millis): Written<readonly UnblockResult[]> {
    return written(
      taskIds,
      (taskId) => unblockTask(this.#space, taskId, now),
      (taskId, { status }) => (status === "unblocked" ? { do: "unblock", taskId } : undefined),
    );
  }

  deliver(messages: readonly NewMessage[], now: Millis): Written<readonly DeliverResult[]> {
    return written(
      messages,
      (message) => deliver(this.#space, message, this.#limits, now),
      (message, { status }) => (status === "accepted" ? { do: "deliver", message } : undefined),
    );
  }

  readCache(keys: readonly CacheKey[], now: Millis): readonly (CacheEntry | undefined)[] {
    return keys.map((key) => readCacheEntry(this.#space, key, now));
  }

  writeCache(entries: readonly NewCacheEntry[], now: Millis): Written<readonly WriteCacheResult[]> {
    return written(
      entries,
      (entry) => writeCacheEntry(this.#space, entry, now),
      (entry, { status }) => (status === "written" ? { do: "cache", entry } : undefined),
    );
  }

  stats(now: Millis): StorageStats {
    return statsOf(this.#space, now);
  }

  purgeRuns(request: PurgeRequest, now: Millis): Written<PurgeResult> {
    const { doomed, more } = findPurgeable(this.#space, request, this.#limits, now);
    removeRuns(this.#space, doomed);
    const changes = [...doomed].map(({ start: { runId } }: RunRecord): Change => ({ do: "purge", runId }));
    return { answer: { purged: doomed.size, more }, changes };
  }

  subscribe(onWake: (topic: Topic) => void): Subscription {
    return this.#space.hints.subscribe(onWake);
  }
}

/** Does a verb element by element, and notes what changed. */
function written<E, R>(
  elements: readonly E[],
  write: (element: E) => R,
  changeOf: (element: E, result: R) => Change | undefined,
): Written<readonly R[]> {
  const changes: Change[] = [];
  const answer = elements.map((element) => {
    const result = write(element);
    const change = changeOf(element, result);
    if (change !== undefined) changes.push(change);
    return result;
  });
  return { answer, changes };
}
