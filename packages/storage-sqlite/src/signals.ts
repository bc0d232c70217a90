import { type FSWatcher, statSync, utimesSync, watch } from "node:fs";
import { pulsesAfter, readTopics, type Signals, type TopicCode } from "@perdure/storage-sql";
import type { SqliteDriver } from "./driver.ts";
import type { PulseClock } from "./pulse-clock.ts";

/** How often a process looks by itself, in case it was not told. */
const FLOOR_MS = 500;

/** Two writes that are less than this apart may leave the same time on a file. */
const FILE_TIME_MS = 1_000;

type Heard = (codes: Iterable<TopicCode> | undefined) => void;

/**
 * Hints between processes on one file. A write that woke something says so in its pulse, in the same transaction, and after the
 * commit touches the file of shared memory that SQLite keeps beside the database: every process watches that, and then reads the
 * new pulses. Nothing else touches it: SQLite itself only maps it into memory.
 */
export class SqliteSignals implements Signals {
  readonly #driver: SqliteDriver;
  readonly #clock: PulseClock;
  #watcher: FSWatcher | undefined;
  #floor: NodeJS.Timeout | undefined;
  #heard: Heard | undefined;
  #seen = 0;
  #lookedAt = 0;
  /** When the log was last written to, as of the look before. */
  #writtenAt = 0;

  constructor(driver: SqliteDriver, clock: PulseClock) {
    this.#driver = driver;
    this.#clock = clock;
  }

  start(heard: Heard): void {
    if (this.#file === undefined) return;
    this.#heard = undefined;
    this.#look();
    this.#heard = heard;
    this.#floor = setInterval(() => this.#lookIfWritten(), FLOOR_MS);
    this.#floor.unref();
    try {
      this.#watcher = watch(this.#file, { persistent: false }, () => this.#look());
      // Watching may end: then there is the floor.
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // Not every file system can be watched.
    }
  }

  stop(): void {
    this.#watcher?.close();
    clearInterval(this.#floor);
    this.#watcher = undefined;
    this.#floor = undefined;
    this.#heard = undefined;
  }

  send(): void {
    if (this.#file === undefined) return;
    const now = Date.now() / 1000;
    try {
      // By path: SQLite would lose its locks on a file that is opened and closed beside it.
      utimesSync(this.#file, now, now);
    } catch {
      // A hint may be lost.
    }
  }

  get #file(): string | undefined {
    return this.#driver.file === "" ? undefined : `${this.#driver.file}-shm`;
  }

  /** Looks, unless nobody has written since the look before: so an idle process asks the database nothing (I28). */
  #lookIfWritten(): void {
    const writtenAt = statSync(`${this.#driver.file}-wal`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (writtenAt === this.#writtenAt && writtenAt < this.#lookedAt - FILE_TIME_MS) return;
    this.#look();
    this.#writtenAt = writtenAt;
  }

  #look(): void {
    this.#lookedAt = Date.now();
    try {
      for (const { no, topics } of this.#driver.peek(pulsesAfter(this.#seen))) {
        // Pulses are kept for a while only: where some are missing, it may have been anything.
        if (no > this.#seen + 1) this.#heard?.(undefined);
        if (!this.#clock.isOwn(no) && topics !== "") this.#heard?.(readTopics(topics));
        this.#seen = no;
      }
    } catch {
      // The store is busy or gone: whoever waits also looks by time.
    }
  }
}
