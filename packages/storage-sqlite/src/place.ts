import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StorageError } from "@perdure/core/storage";

/**
 * Whether a store can be where it is said to be; answers its real path, where SQLite keeps the files beside it. SQLite itself
 * reports all of these troubles late, and with the same few words.
 */
export function checkPlace(path: string, mayCreate: boolean): string {
  const directory = dirname(resolve(path));
  if (!isThere(directory)) {
    refuse("misconfigured", path, `the directory ${directory} does not exist. Create it, or give another path.`);
  }
  const file = isThere(path) ? realpathSync(path) : join(realpathSync(directory), basename(path));
  if (isThere(file)) {
    if (!statSync(file).isFile()) refuse("misconfigured", path, "it is not a file. Give the path of a file.");
    if (!isWritable(file)) refuse("read-only", path, "this process may not write it. Change the rights of the file.");
  } else if (!mayCreate) {
    refuse("misconfigured", path, 'there is no such file, and migrate: "check" creates none. Give another path.');
  }
  // The write-ahead log is written beside the file.
  if (!isWritable(dirname(file))) {
    refuse("read-only", path, `this process may not write its directory. Change the rights of ${dirname(file)}.`);
  }
  return file;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function refuse(code: "misconfigured" | "read-only", path: string, why: string): never {
  throw new StorageError(code, `The SQLite file ${path} cannot be used: ${why}`, { details: { path } });
}
