import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { encodeGroup, encodeHeader, type NewGroup } from "./group.ts";
import type { ChangeLine } from "./line.ts";
import { VERSION } from "./log-file.ts";
import { type Kind, nameOf, UNFINISHED } from "./names.ts";

/** A file that is being made: nobody finds it under its name before it is whole and on disk. */
export class NewFile {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #path: string;
  readonly #unfinished: string;
  readonly #file: number;
  #end = 0;
  #groups = 0;

  constructor(disk: Disk, folder: string, kind: Kind, no: number) {
    this.#disk = disk;
    this.#folder = folder;
    this.#path = join(folder, nameOf(kind, no));
    this.#unfinished = `${this.#path}.${randomUUID()}${UNFINISHED}`;
    this.#file = disk.open(this.#unfinished, "new");
    this.#write(encodeHeader({ perdure: kind, version: VERSION, no }));
  }

  append(changes: readonly ChangeLine[], ending: Pick<NewGroup, "last"> = {}): void {
    this.#groups += 1;
    this.#write(encodeGroup({ ...ending, no: this.#groups, from: this.#end, changes }));
  }

  /** Gives it its name. */
  publish(): void {
    this.#disk.syncNow(this.#file);
    this.#disk.close(this.#file);
    this.#disk.rename(this.#unfinished, this.#path);
    this.#disk.syncFolder(this.#folder);
  }

  discard(): void {
    this.#disk.close(this.#file);
    this.#disk.remove(this.#unfinished);
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) done += this.#disk.write(this.#file, bytes.subarray(done));
    this.#end += bytes.length;
  }
}
