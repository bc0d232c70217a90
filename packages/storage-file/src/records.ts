import { setImmediate as turn } from "node:timers/promises";
import { Replica } from "@perdure/core/storage";
import { Damages } from "./damage.ts";
import type { Disk } from "./disk.ts";
import { errorCodeOf } from "./errors.ts";
import { LIMITS } from "./info.ts";
import { Log } from "./log.ts";
import type { Piece } from "./log-file.ts";
import { markOfChange } from "./mark.ts";
import type { Settings } from "./options.ts";

/** How long the event loop is kept, at most, while a store is read. */
const READING_MS = 20;
/** Files vanish while they are being opened when somebody else compacts: then there are others. */
const OPEN_TRIES = 5;

/** All records of a namespace in memory, and the log that they follow from. */
export class Records {
  readonly replica: Replica;
  readonly #settings: Settings;
  readonly #disk: Disk;
  #damages = new Damages();
  #log: Log | undefined;
  #isAhead = false;

  constructor(settings: Settings, disk: Disk) {
    this.#settings = settings;
    this.#disk = disk;
    this.replica = new Replica({ limits: LIMITS, clock: settings.clock });
  }

  /** Undefined until all was read for the first time, and after the end. */
  get log(): Log | undefined {
    return this.#log;
  }

  get damages(): Damages {
    return this.#damages;
  }

  /** The records have something that the log has not: they are made anew before they are used again. */
  setAhead(): void {
    this.#isAhead = true;
  }

  /** Reads all from the beginning, while the event loop turns. */
  async readAll(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        let began = performance.now();
        for (const _ of this.#reread()) {
          if (performance.now() - began < READING_MS) continue;
          await turn();
          began = performance.now();
        }
        return;
      } catch (error) {
        if (errorCodeOf(error) !== "ENOENT" || tries === OPEN_TRIES) throw error;
      }
    }
  }

  /** Reads what others have appended. `isLocked`: half a group is of somebody who is dead. */
  catchUp(isLocked: boolean): void {
    for (let tries = 1; ; tries++) {
      try {
        if (this.#isAhead) for (const _ of this.#reread()) continue;
        const log = this.#log!;
        if (!log.journal.hasMoved) return;
        for (const piece of log.follow({ mayCut: isLocked })) this.#applyAll(piece);
        return;
      } catch (error) {
        // Whoever was away for long finds a snapshot in place of what he has not read.
        if (errorCodeOf(error) !== "ENOENT" || tries === OPEN_TRIES) throw error;
        this.#isAhead = true;
      }
    }
  }

  async close(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    await log?.close();
  }

  /** Makes the records anew, a piece at a time. */
  *#reread(): Generator<void> {
    void this.#log?.close();
    this.replica.clear();
    this.#damages = new Damages();
    const log = new Log(this.#disk, this.#settings.path, this.#damages);
    try {
      for (const piece of log.read()) {
        this.#applyAll(piece);
        yield;
      }
    } catch (error) {
      void log.close();
      throw error;
    }
    this.#log = log;
    this.#isAhead = false;
  }

  #applyAll({ file, from, changes }: Piece): void {
    for (const line of changes) {
      this.replica.reach(line.at);
      if (line.ns !== this.#settings.namespace) continue;
      if (this.#damages.any && this.#damages.concerns(markOfChange(line.ns, line))) continue;
      if (this.replica.apply(line, line.at)) continue;
      // What it follows from is missing.
      this.#damages.add({ file, offset: from, of: { mark: markOfChange(line.ns, line) } });
    }
  }
}
