import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { Millis, NextStep, Seq } from "@perdure/core/storage";
import type { Verb } from "../verbs.ts";

/** A worker was handed a run. */
export interface Claimed {
  readonly what: "claimed";
  /** The worker, by the name that the lab gave it: unique for each start. */
  readonly by: string;
  readonly run: string;
  readonly epoch: number;
  /** The head of history that came with it. */
  readonly head: Seq;
  /** The id of the last commit that came with it. */
  readonly commit: string | null;
  /** The storage's time of the claim. */
  readonly now: Millis;
  readonly until: Millis;
  /** How far the wall clock of its process was off, in milliseconds. */
  readonly clockOffMs: number;
}

/** A lease was renewed. */
export interface Renewed {
  readonly what: "renewed";
  readonly by: string;
  readonly run: string;
  readonly epoch: number;
  readonly until: Millis;
}

/** A commit was acknowledged. */
export interface Acked {
  readonly what: "acked";
  readonly by: string;
  readonly run: string;
  readonly epoch: number;
  readonly commit: string;
  /** The head of history before it. */
  readonly after: Seq;
  /** Type and command of each of its events. */
  readonly events: readonly string[];
  /** What became of the claim. */
  readonly next: NextStep["do"];
}

/** The storage refused a write of somebody who is not the owner any more. */
export interface Refused {
  readonly what: "refused";
  readonly by: string;
  readonly run: string;
  readonly epoch: number;
  readonly verb: "commitTasks" | "renewLeases";
}

/** The side effect: an attempt of an activity is being executed. */
export interface Began {
  readonly what: "began";
  readonly by: string;
  readonly pid: number;
  readonly run: string;
  readonly activity: string;
  /** The same for every attempt and every repetition of this call. */
  readonly key: string;
  readonly attempt: number;
  /** Unique: what an attempt returns or throws names the execution that it came from. */
  readonly execution: string;
}

/** An attempt of an activity task is being executed, by a worker that need not have its run. */
export interface Took {
  readonly what: "took";
  readonly by: string;
  readonly run: string;
  readonly key: string;
  readonly attempt: number;
  readonly execution: string;
  /** The checkpoint that it found; 0 without one. */
  readonly from: number;
}

/** A checkpoint of an activity task was acknowledged. */
export interface Saved {
  readonly what: "saved";
  readonly by: string;
  readonly run: string;
  readonly key: string;
  readonly done: number;
}

/** An attempt is about to answer. */
interface Ended {
  readonly what: "ended";
  readonly by: string;
  readonly run: string;
  readonly execution: string;
}

/** A process is about to stop itself in the middle of an activity. */
export interface Frozen {
  readonly what: "frozen";
  readonly by: string;
  readonly run: string;
}

/** A worker did not get to do anything for so long, or a call of its own took so long, that it may have lost leases. */
interface Stalled {
  readonly what: "stalled";
  readonly by: string;
  readonly run: null;
  readonly ms: number;
}

/** A call to the storage threw. */
export interface Failed {
  readonly what: "failed";
  readonly by: string;
  readonly run: null;
  readonly verb: Verb;
  /** Of the error; `null`: it has none of ours. */
  readonly code: string | null;
  readonly message: string;
}

export type LedgerEntry =
  | Claimed
  | Renewed
  | Acked
  | Refused
  | Began
  | Took
  | Saved
  | Ended
  | Frozen
  | Stalled
  | Failed;

/** Where what happens is written down, beside the storage and trusted more. */
export interface Ledger {
  note(...entries: readonly LedgerEntry[]): void;
}

/** Appends to a file that many processes share. Each note is one write: a kill may cut it short, but never mixes two. */
export class FileLedger implements Ledger {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  note(...entries: readonly LedgerEntry[]): void {
    if (entries.length === 0) return;
    // The blank line in front keeps a note whole that follows one which was cut short.
    writeSync(this.#file, `\n${entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")}`);
  }
}

/** The ledger of workers in this process. */
export class MemoryLedger implements Ledger {
  readonly entries: LedgerEntry[] = [];

  note(...entries: readonly LedgerEntry[]): void {
    this.entries.push(...entries);
  }
}

/** Follows a ledger's file as it grows. */
export class LedgerReader {
  /** Everything read so far, in order. */
  readonly entries: LedgerEntry[] = [];
  readonly #file: number;
  readonly #buffer = Buffer.alloc(65_536);
  #position = 0;
  #rest = Buffer.alloc(0);

  constructor(path: string) {
    this.#file = openSync(path, "a+");
  }

  /** How long the file is, as far as it was read. */
  get bytes(): number {
    return this.#position;
  }

  /** Takes in what was written since the last call. */
  read(): readonly LedgerEntry[] {
    const from = this.entries.length;
    for (;;) {
      const bytes = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytes === 0) return this.entries.slice(from);
      this.#position += bytes;
      const text = Buffer.concat([this.#rest, this.#buffer.subarray(0, bytes)]);
      const end = text.lastIndexOf("\n") + 1;
      this.#rest = text.subarray(end);
      for (const line of text.toString("utf8", 0, end).split("\n")) this.#take(line);
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #take(line: string): void {
    if (line === "") return;
    try {
      this.entries.push(JSON.parse(line) as LedgerEntry);
    } catch {
      // Its writer was killed in the middle of the write: it never got to do what it wanted to write down.
    }
  }
}
