import { StorageError } from "@perdure/core/storage";

type Code = ConstructorParameters<typeof StorageError>[0];

/** What an error of the system means. */
const MEANINGS: Readonly<Record<string, readonly [code: Code, says: string]>> = {
  ENOSPC: ["unavailable", "cannot grow: the disk is full. Free some space; nothing was written."],
  EDQUOT: ["unavailable", "cannot grow: the quota is used up. Free some space; nothing was written."],
  EFBIG: ["unavailable", "cannot grow: this process may not write longer files. Raise its limit; nothing was written."],
  EMFILE: ["unavailable", "cannot be opened: this process has too many files open. Raise its limit, and try again."],
  ENFILE: ["unavailable", "cannot be opened: the system has too many files open. Try again."],
  EIO: ["unavailable", "cannot be read or written. Check the disk, and try again."],
  ENOMEM: ["unavailable", "needs more memory than there is. Try again."],
  EROFS: ["read-only", "cannot be written: its file system is read-only. Mount it for writing, or give another path."],
  EACCES: ["read-only", "cannot be written. Give this process the right to write the folder and the files in it."],
  EPERM: ["read-only", "cannot be written. Give this process the right to write the folder and the files in it."],
  ENOENT: ["misconfigured", "is not there, or the folder that it stands in is not. Create that, or give another path."],
  ENOTDIR: ["misconfigured", "is not a folder. Give the path of a folder."],
  EEXIST: ["misconfigured", "is not a folder. Give the path of a folder."],
};

/** An error of the system as one of ours, with it as the cause; anything else as it is. */
export function storageErrorOf(path: string, error: unknown): unknown {
  if (isOfLock(error)) return lockFailed(path, error);
  const code = errorCodeOf(error);
  if (code === undefined || error instanceof StorageError) return error;
  const [meaning, says] = MEANINGS[code] ?? ["unavailable", `cannot be used: ${code}. Check the disk, and try again.`];
  return new StorageError(meaning, `The store ${path} ${says}`, { cause: error, details: { path } });
}

/** After a sync that failed nobody knows what is on disk: the system says so once, and the next sync would seem to succeed. */
export function syncFailed(path: string, cause: unknown): StorageError {
  return new StorageError(
    "corrupt",
    `The store ${path} could not be synced to disk, and what was written last may be lost. Check the disk, restart the machine, and open the store anew.`,
    { cause, details: { path } },
  );
}

/** The code of an error of the system. */
export function errorCodeOf(error: unknown): string | undefined {
  const { code, syscall } = Object(error) as { readonly code?: unknown; readonly syscall?: unknown };
  return typeof code === "string" && typeof syscall === "string" ? code : undefined;
}

function isOfLock(error: unknown): boolean {
  return (Object(error) as { readonly code?: unknown }).code === "ERR_SQLITE_ERROR";
}

function lockFailed(path: string, cause: unknown): StorageError {
  return new StorageError(
    "unavailable",
    `The lock of the store ${path} cannot be used. Check that its file system locks files, and try again.`,
    { cause, details: { path } },
  );
}
