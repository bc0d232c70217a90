import { join } from "node:path";
import { StorageError } from "@perdure/core/storage";
import { compact } from "./compact.ts";
import { Damages } from "./damage.ts";
import { DISK } from "./disk.ts";
import { storageErrorOf } from "./errors.ts";
import { StoreLock } from "./lock.ts";
import { Log } from "./log.ts";
import { LOCK } from "./names.ts";

/**
 * Compacts the store in a folder now, whoever uses it meanwhile: its files hold nothing any more of runs that were purged, and of
 * what was written over. Without it that happens by itself when the journal is long enough.
 *
 * @throws StorageError `misconfigured`, `corrupt`, `unavailable`
 */
export async function compactFolder(path: string): Promise<void> {
  try {
    await compact(DISK, path, await rotate(path), () => false);
  } catch (error) {
    throw storageErrorOf(path, error);
  }
}

/** Has the store go on in a new journal. Answers its number. */
async function rotate(path: string): Promise<number> {
  const damages = new Damages();
  const log = new Log(DISK, path, damages);
  // It has to be there: a lock would create its file.
  for (const _ of log.read()) continue;
  const lock = new StoreLock(join(path, LOCK));
  try {
    const rotated = lock.during(() => {
      for (const _ of log.follow({ mayCut: true })) continue;
      damages.checkAll();
      log.rotate();
    });
    if (rotated !== undefined) return log.journal.no;
  } finally {
    lock.close();
    await log.close();
  }
  throw new StorageError("unavailable", `The store ${path} is locked by another process. Try again.`, {
    details: { path },
  });
}
