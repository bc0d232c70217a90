import { join } from "node:path";
import { StorageError } from "@perdure/core/storage";
import type { Damages } from "./damage.ts";
import type { Disk } from "./disk.ts";
import { encodeGroup, encodeHeader, GroupReader, type NewGroup } from "./group.ts";
import { type ChangeLine, decodeLine } from "./line.ts";
import { type Kind, nameOf } from "./names.ts";

/** By these rules files are written. Newer ones are refused (I25). */
export const VERSION = 1;

const CHUNK = 4 * 1024 * 1024;
const LINE_BREAK = 0x0a;
/** A first line is never as long. */
const HEADER_BYTES = 1024;

/** What is read of a file, in pieces. */
export interface Piece {
  readonly file: string;
  readonly from: number;
  readonly changes: readonly ChangeLine[];
  readonly next: number | undefined;
  readonly isLast: boolean;
}

/** One file of a store: a journal, to which groups are appended, or a snapshot. */
export class LogFile {
  readonly no: number;
  readonly path: string;
  readonly #kind: Kind;
  readonly #disk: Disk;
  readonly #file: number;
  readonly #damages: Damages;
  /** All before is read or written here. */
  #end = 0;
  /** Number of the last group before that. */
  #groups = 0;
  /** All before is surely on disk. */
  #synced = 0;
  #syncing: Promise<void> | undefined;
  #isClosed = false;

  /** Opens a file that is there. */
  constructor(disk: Disk, folder: string, kind: Kind, no: number, damages: Damages) {
    this.no = no;
    this.#kind = kind;
    this.path = join(folder, nameOf(kind, no));
    this.#disk = disk;
    this.#damages = damages;
    this.#file = disk.open(this.path, kind === "journal" ? "append" : "read");
  }

  get end(): number {
    return this.#end;
  }

  /** Whether there is more, or less, than was read. */
  get hasMoved(): boolean {
    return this.#disk.size(this.#file) !== this.#end;
  }

  /**
   * Reads on to the end, some groups at a time. `mayCut`: nobody else is writing. Then half a group at the end is of somebody who is
   * dead, and is cut off.
   */
  *read({ mayCut }: { readonly mayCut: boolean }): Generator<Piece> {
    if (this.#end === 0) this.#readHeader();
    const size = this.#disk.size(this.#file);
    if (size < this.#end) this.#damages.add({ file: this.path, offset: size, of: "all" });
    const isAll = mayCut || this.#kind === "snapshot";
    let rest = Buffer.alloc(0);
    for (let at = this.#end; at < size;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at));
      const bytes = this.#disk.read(this.#file, chunk, at);
      if (bytes === 0) break;
      at += bytes;
      const all = Buffer.concat([rest, chunk.subarray(0, bytes)]);
      const { groups, end, no } = new GroupReader(all, this.#end, this.#groups).read(isAll && at === size);
      rest = all.subarray(end);
      this.#end += end;
      this.#groups = no;
      for (const { from, changes, damages, next, isLast } of groups) {
        for (const damage of damages) this.#damages.add({ ...damage, file: this.path });
        yield { file: this.path, from, changes, next, isLast };
      }
    }
    if (mayCut && rest.length > 0) this.#disk.truncate(this.#file, this.#end);
  }

  /**
   * Appends a group of changes, whole or not at all. It is not synced yet.
   * @throws an error of the system
   */
  append(changes: readonly ChangeLine[], ending: Pick<NewGroup, "next" | "last"> = {}): void {
    const bytes = encodeGroup({ ...ending, no: this.#groups + 1, from: this.#end, changes });
    this.#write(bytes);
    this.#end += bytes.length;
    this.#groups += 1;
  }

  /** Sees whether there is room for so much. @throws an error of the system if there is not */
  tryRoom(bytes: number): void {
    this.#write(Buffer.alloc(bytes, " "));
    this.#disk.truncate(this.#file, this.#end);
  }

  /**
   * Resolves when all that stands here by now is on disk. Who comes while a sync runs shares the next one: group commit.
   * @throws SyncError
   */
  async sync(): Promise<void> {
    const goal = this.#end;
    while (this.#synced < goal) await (this.#syncing ??= this.#syncAll());
  }

  /** The same, at once. @throws SyncError */
  syncNow(): void {
    try {
      this.#disk.syncNow(this.#file);
    } catch (error) {
      throw new SyncError(error);
    }
    this.#synced = this.#end;
  }

  /** Closes the file, once no sync runs. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    while (this.#syncing !== undefined) await this.#syncing.catch(() => undefined);
    this.#disk.close(this.#file);
  }

  async #syncAll(): Promise<void> {
    const goal = this.#end;
    try {
      await this.#disk.sync(this.#file);
      this.#synced = Math.max(this.#synced, goal);
    } catch (error) {
      throw new SyncError(error);
    } finally {
      this.#syncing = undefined;
    }
  }

  #write(bytes: Buffer): void {
    try {
      for (let done = 0; done < bytes.length;) done += this.#disk.write(this.#file, bytes.subarray(done));
    } catch (error) {
      this.#cut();
      throw new WriteError(bytes.length, error);
    }
  }

  /** Takes half a group away. Without its end it would not count, and the next writer would cut it off. */
  #cut(): void {
    try {
      this.#disk.truncate(this.#file, this.#end);
    } catch {
      // The disk is of no use at the moment.
    }
  }

  #readHeader(): void {
    const start = Buffer.alloc(HEADER_BYTES);
    const bytes = start.subarray(0, this.#disk.read(this.#file, start, 0));
    const expected = encodeHeader({ perdure: this.#kind, version: VERSION, no: this.no });
    this.#end = expected.length;
    if (bytes.subarray(0, expected.length).equals(expected)) return;
    const header = decodeLine(bytes, 0, bytes.indexOf(LINE_BREAK));
    if (header !== undefined && "perdure" in header && header.version > VERSION) {
      throw new StorageError(
        "schema-version",
        `${this.path} was written by newer code, version ${header.version}. Update @perdure/storage-file.`,
        { details: { path: this.path } },
      );
    }
    this.#damages.add({ file: this.path, offset: 0, of: "nothing" });
  }
}

/** A write that was not carried out. */
export class WriteError extends Error {
  /** What there was no room for. */
  readonly bytes: number;

  constructor(bytes: number, cause: unknown) {
    super("A write has failed.", { cause });
    this.bytes = bytes;
  }
}

/** Nobody knows what of the file is on disk. */
export class SyncError extends Error {
  constructor(cause: unknown) {
    super("A sync has failed.", { cause });
  }
}
