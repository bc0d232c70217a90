import { dirname, join } from "node:path";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import {
  type Change,
  type Millis,
  type Replica,
  StorageError,
  type Subject,
  type Subscription,
  type Topic,
  type Written,
} from "@perdure/core/storage";
import { compact } from "./compact.ts";
import type { Disk } from "./disk.ts";
import { errorCodeOf, storageErrorOf, syncFailed } from "./errors.ts";
import type { ChangeLine } from "./line.ts";
import { StoreLock } from "./lock.ts";
import type { Log } from "./log.ts";
import { SyncError, WriteError } from "./log-file.ts";
import { LOCK, numbersOf } from "./names.ts";
import { NewFile } from "./new-file.ts";
import type { Settings } from "./options.ts";
import { Records } from "./records.ts";
import { FolderWatch } from "./watch.ts";

/** A lock that is taken is asked for again at once so many times, then in a moment. */
const EAGER_TRIES = 20;

/**
 * One client of a store. A verb reads what others have
 * appended, does its work on the records, and appends what has changed, all of it under the lock of the store and in one go; it is
 * answered when that is on disk.
 */
export class Store {
  readonly #settings: Settings;
  readonly #disk: Disk;
  readonly #records: Records;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #watch: FolderWatch;
  #lock: StoreLock | undefined;
  #isClosed = false;
  /** Why this client is of no use any more. */
  #failure: StorageError | undefined;
  /** What there was no room for. */
  #lacking = 0;
  #compacting: Promise<void> | undefined;

  constructor(settings: Settings, disk: Disk) {
    this.#settings = settings;
    this.#disk = disk;
    this.#records = new Records(settings, disk);
    this.#watch = new FolderWatch(settings.path, () => this.#look());
  }

  setup(): Promise<void> {
    return this.#during(async () => {
      this.#checkOpen();
      if (this.#records.log !== undefined) return;
      this.#lock ??= this.#openLock();
      await this.#locked(() => this.#create());
      await this.#records.readAll();
      await this.#locked(() => this.#records.catchUp(true));
    });
  }

  /** Does a verb that writes. */
  write<A, R>(args: A, verb: (replica: Replica, args: A, now: Millis) => Written<R>): Promise<R> {
    return this.#during(async () => {
      this.#checkReady();
      let kept = args;
      const answer = await this.#locked(
        () => this.#apply((now) => verb(this.#records.replica, kept, now)),
        // Whoever called may change what he has passed in.
        () => (kept = structuredClone(args)),
      );
      await this.#onDisk();
      return answer;
    });
  }

  /** Does a verb that reads one run, some cache entries, or (`undefined`) everything. */
  read<R>(subjects: readonly Subject[] | undefined, look: (replica: Replica, now: Millis) => R): Promise<R> {
    return this.#during(async () => {
      this.#checkReady();
      this.#records.catchUp(false);
      if (subjects === undefined) this.#records.damages.checkAll();
      for (const subject of subjects ?? []) this.#records.damages.check(this.#settings.namespace, subject);
      const answer = look(this.#records.replica, this.#records.replica.now());
      await this.#onDisk();
      return answer;
    });
  }

  subscribe(onWake: (topic: Topic) => void): Subscription {
    this.#checkReady();
    const subscription = this.#records.replica.subscribe(onWake);
    this.#subscriptions.add(subscription);
    this.#watch.start();
    return {
      ...subscription,
      close: async () => {
        this.#subscriptions.delete(subscription);
        if (this.#subscriptions.size === 0) this.#watch.stop();
        await subscription.close();
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.stop();
    for (const subscription of this.#subscriptions) void subscription.close();
    this.#subscriptions.clear();
    await Promise.allSettled(this.#underWay);
    await this.#compacting;
    await this.#records.close();
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** Notes what is under way, so that a close can wait for it, and gives errors of the system their names. */
  async #during<T>(work: () => Promise<T>): Promise<T> {
    const promise = work();
    this.#underWay.add(promise);
    try {
      return await promise;
    } catch (error) {
      throw storageErrorOf(this.#settings.path, error instanceof WriteError ? error.cause : error);
    } finally {
      this.#underWay.delete(promise);
    }
  }

  /** Does something under the lock of the store; `onWait` before it waits for that. */
  async #locked<T>(work: () => T, onWait: () => unknown = () => undefined): Promise<T> {
    const until = performance.now() + this.#settings.busyTimeout;
    for (let tries = 0; ; tries++) {
      const result = this.#lock!.during(work);
      if (result !== undefined) return result.done;
      if (tries === 0) onWait();
      if (performance.now() > until) throw busy(this.#settings.path);
      await (tries < EAGER_TRIES ? turn() : sleep(1));
    }
  }

  /** Under the lock: reads on, does the verb, appends what it has changed. */
  #apply<R>(verb: (now: Millis) => Written<R>): R {
    this.#records.catchUp(true);
    this.#records.damages.checkAll();
    const log = this.#records.log!;
    if (this.#lacking > 0) this.#tryRoom(log);
    const now = this.#records.replica.now();
    const { answer, changes } = verb(now);
    if (changes.length === 0) return answer;
    this.#append(log, changes, now);
    if (log.outgrows(this.#settings.compactAbove)) this.#rotate(log);
    return answer;
  }

  #append(log: Log, changes: readonly Change[], now: Millis): void {
    const { namespace: ns } = this.#settings;
    try {
      log.journal.append(changes.map((change): ChangeLine => ({ ns, at: now, ...change })));
    } catch (error) {
      this.#records.setAhead();
      if (error instanceof WriteError) this.#lacking = error.bytes;
      throw error;
    }
  }

  #tryRoom(log: Log): void {
    log.journal.tryRoom(this.#lacking);
    this.#lacking = 0;
  }

  /** Creates the store if it is not there. */
  #create(): void {
    const { path, migrate } = this.#settings;
    const names = this.#disk.list(path);
    if (numbersOf("journal", names).length > 0) return;
    if (migrate === "check") throw notThere(path);
    new NewFile(this.#disk, path, "journal", 1).publish();
  }

  #openLock(): StoreLock {
    const { path, migrate } = this.#settings;
    if (migrate === "auto") {
      try {
        this.#disk.makeFolder(path);
        this.#disk.syncFolder(dirname(path));
      } catch (error) {
        if (errorCodeOf(error) !== "EEXIST") throw error;
      }
    }
    // What is no folder says so.
    if (numbersOf("journal", this.#disk.list(path)).length === 0 && migrate === "check") throw notThere(path);
    return new StoreLock(join(path, LOCK));
  }

  async #onDisk(): Promise<void> {
    if (this.#settings.synchronous === "off") return;
    try {
      await this.#records.log!.journal.sync();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): StorageError {
    const cause = error instanceof SyncError ? error.cause : error;
    return (this.#failure ??= syncFailed(this.#settings.path, cause));
  }

  /** Goes on in a new journal, and has what stands before it compacted. What fails here does not fail the verb. */
  #rotate(log: Log): void {
    if (this.#compacting !== undefined) return;
    try {
      log.rotate();
    } catch (error) {
      if (error instanceof SyncError) throw this.#fail(error);
      this.#records.setAhead();
      return;
    }
    const { path } = this.#settings;
    this.#compacting = compact(this.#disk, path, log.journal.no, () => this.#isClosed)
      .catch(() => undefined)
      .finally(() => (this.#compacting = undefined));
  }

  /** Something may have been appended: what it wakes is told when it is applied. */
  #look(): void {
    if (this.#isClosed || this.#failure !== undefined || this.#records.log === undefined) return;
    try {
      this.#records.catchUp(false);
    } catch {
      // The next verb says it.
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) {
      throw new StorageError("misconfigured", "This file storage was closed. Open another one on the same folder.");
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #checkReady(): void {
    this.#checkOpen();
    if (this.#records.log !== undefined) return;
    throw new StorageError("misconfigured", "This file storage was not set up. Call setup() before any other verb.");
  }
}

function busy(path: string): StorageError {
  return new StorageError(
    "unavailable",
    `The store ${path} is locked by another process. Try again, or raise busyTimeout.`,
    { details: { path } },
  );
}

function notThere(path: string): StorageError {
  return new StorageError(
    "schema-version",
    `There is no store in ${path}, and migrate: "check" creates none. Run setup() with migrate: "auto", or give another path.`,
    { details: { path } },
  );
}
