import type { Damages } from "./damage.ts";
import type { Disk } from "./disk.ts";
import { LogFile, type Piece } from "./log-file.ts";
import { NewFile } from "./new-file.ts";
import { numbersOf } from "./names.ts";

/** All files of a store as one log: a snapshot, and the journals after it, of which the last one is appended to. */
export class Log {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #damages: Damages;
  #journal: LogFile | undefined;
  #snapshotBytes = 0;

  constructor(disk: Disk, folder: string, damages: Damages) {
    this.#disk = disk;
    this.#folder = folder;
    this.#damages = damages;
  }

  /** The journal that is read and appended to now. */
  get journal(): LogFile {
    if (this.#journal === undefined) throw new Error("The log is read from its beginning first.");
    return this.#journal;
  }

  /** Whether the journal has outgrown both a number of bytes and what all runs take by themselves. */
  outgrows(bytes: number): boolean {
    return this.journal.end > Math.max(bytes, this.#snapshotBytes);
  }

  /** Reads all, from the beginning, up to the journal before `until` or to the end. */
  *read(until: number = Infinity): Generator<Piece> {
    const names = this.#disk.list(this.#folder);
    const snapshot = numbersOf("snapshot", names).findLast((no) => no < until);
    if (snapshot !== undefined) yield* this.#readSnapshot(snapshot);
    // Without a snapshot all begins with the first journal: one that is gone was replaced since the folder was listed.
    this.#journal = this.#openJournal(snapshot ?? 1);
    yield* this.follow({ mayCut: false, until });
  }

  /** Reads on to the end, from journal to journal. */
  *follow({ mayCut, until = Infinity }: { readonly mayCut: boolean; readonly until?: number }): Generator<Piece> {
    for (;;) {
      let next: number | undefined;
      for (const piece of this.journal.read({ mayCut })) {
        next ??= piece.next;
        yield piece;
      }
      if (next === undefined) this.#checkEnd();
      if (next === undefined || next >= until) return;
      const before = this.journal;
      this.#journal = this.#openJournal(next);
      void before.close();
    }
  }

  /** Has the log go on in a new journal. Nobody else may be writing. */
  rotate(): void {
    const before = this.journal;
    const no = before.no + 1;
    new NewFile(this.#disk, this.#folder, "journal", no).publish();
    before.append([], { next: no });
    // Whatever stands in the next journal must not be found without the way to it.
    before.syncNow();
    this.#journal = this.#openJournal(no);
    for (const _ of this.#journal.read({ mayCut: false })) continue;
    void before.close();
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  /** The way to the next journal may be what was damaged. */
  #checkEnd(): void {
    if (!this.#damages.any) return;
    const { no, path, end } = this.journal;
    if (numbersOf("journal", this.#disk.list(this.#folder)).some((number) => number > no)) {
      this.#damages.add({ file: path, offset: end, of: "all" });
    }
  }

  *#readSnapshot(no: number): Generator<Piece> {
    const file = new LogFile(this.#disk, this.#folder, "snapshot", no, this.#damages);
    try {
      let isWhole = false;
      for (const piece of file.read({ mayCut: false })) {
        isWhole ||= piece.isLast;
        yield piece;
      }
      if (!isWhole) this.#damages.add({ file: file.path, offset: file.end, of: "all" });
      this.#snapshotBytes = file.end;
    } finally {
      void file.close();
    }
  }

  #openJournal(no: number): LogFile {
    return new LogFile(this.#disk, this.#folder, "journal", no, this.#damages);
  }
}
