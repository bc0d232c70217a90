import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";

/** All that the store does to files: so a test can have any of it fail. */
export interface Disk {
  /** `read`: for reading. `append`: for reading, and writing at the end. `new`: a file that is not there yet. */
  open(path: string, mode: "read" | "append" | "new"): number;
  close(file: number): void;
  size(file: number): number;
  /** Answers how many bytes it has read into the buffer. */
  read(file: number, buffer: Buffer, at: number): number;
  /** Writes at the end. Answers how many bytes it has written. */
  write(file: number, bytes: Buffer): number;
  truncate(file: number, size: number): void;
  sync(file: number): Promise<void>;
  syncNow(file: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  list(folder: string): readonly string[];
  makeFolder(folder: string): void;
  /** Has the names in a folder survive a loss of power. */
  syncFolder(folder: string): void;
}

// Appending creates nothing: a journal that others have deleted must not come back empty.
const FLAGS = { read: "r", append: constants.O_RDWR | constants.O_APPEND, new: "wx+" } as const;

/** The files of this machine. */
export const DISK: Disk = {
  open: (path, mode) => openSync(path, FLAGS[mode]),
  close: closeSync,
  size: (file) => fstatSync(file).size,
  read: (file, buffer, at) => readSync(file, buffer, 0, buffer.length, at),
  write: (file, bytes) => writeSync(file, bytes),
  truncate: ftruncateSync,
  sync: promisify(fdatasync),
  syncNow: fdatasyncSync,
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
  list: (folder) => readdirSync(folder),
  makeFolder: (folder) => mkdirSync(folder),
  syncFolder(folder) {
    // Windows keeps names by itself, and opens no folders.
    if (process.platform === "win32") return;
    const file = openSync(folder, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
};
