import { StorageError } from "@perdure/core/storage";
import Database from "better-sqlite3";

type Code = ConstructorParameters<typeof StorageError>[0];

/** What an error of SQLite means, by the beginning of its code; the first that fits counts. */
const MEANINGS: readonly (readonly [prefix: string, code: Code, says: string])[] = [
  ["SQLITE_BUSY", "unavailable", "is locked by another process. Try again, or raise busyTimeout."],
  ["SQLITE_LOCKED", "unavailable", "is locked. Try again."],
  ["SQLITE_FULL", "unavailable", "cannot grow: the disk is full. Free some space; nothing was written."],
  ["SQLITE_IOERR", "unavailable", "cannot be read or written. Check the disk, and try again."],
  ["SQLITE_NOMEM", "unavailable", "needs more memory than there is. Try again."],
  ["SQLITE_NOTADB", "corrupt", "is not a SQLite database. Give the path of another file, or restore a backup."],
  ["SQLITE_CORRUPT", "corrupt", "is damaged. Restore a backup."],
  [
    "SQLITE_READONLY",
    "read-only",
    "cannot be written. Give this process the right to write the file and its directory.",
  ],
  ["SQLITE_PERM", "read-only", "cannot be accessed. Give this process the right to write the file and its directory."],
  ["SQLITE_CANTOPEN", "misconfigured", "cannot be opened. Check its path and the rights of this process."],
];

/** A driver's error as one of ours, with the driver's as its cause; undefined for one that is not the driver's. */
export function storageErrorOf(path: string, error: unknown): StorageError | undefined {
  const cause = { cause: error, details: { path } };
  if (isOf(error, "ERR_DLOPEN_FAILED") || isOf(error, "MODULE_NOT_FOUND")) {
    return new StorageError(
      "missing-driver",
      "better-sqlite3 has no binary for this platform. Reinstall it, or build it from source.",
      cause,
    );
  }
  if (error instanceof TypeError && error.message.includes("database connection is not open")) {
    return new StorageError("misconfigured", `The connection to ${path} was closed. Create another storage.`, cause);
  }
  if (!(error instanceof Database.SqliteError)) return undefined;
  for (const [prefix, code, says] of MEANINGS) {
    if (error.code.startsWith(prefix)) return new StorageError(code, `The SQLite file ${path} ${says}`, cause);
  }
  if (error.message.startsWith("no such table: perdure_")) {
    return new StorageError("schema-version", `The SQLite file ${path} has no schema of Perdure. Run setup().`, cause);
  }
  return new StorageError(
    "misconfigured",
    `SQLite refused a statement on ${path}: ${error.message}. Was its schema changed by hand?`,
    cause,
  );
}

/** Whether somebody else is writing right now. */
export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
}

function isOf(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
