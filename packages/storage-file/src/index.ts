/** Perdure storage in a folder of plain files. */
import type { StorageBackend } from "@perdure/core/storage";
import { FileBackend } from "./backend.ts";
import { DISK } from "./disk.ts";
import { type FileOptions, settingsOf } from "./options.ts";

export { compactFolder } from "./compact-folder.ts";
export type { FileOptions } from "./options.ts";

/**
 * A store in a folder, which any number of processes of one machine may share. The folder is opened by `setup()`; whoever made the
 * storage closes it.
 *
 * @example
 * ```ts
 * const storage = file("perdure-data");
 * ```
 * @throws UsageError `invalid-argument` for options that cannot be.
 */
export function file(pathOrOptions: string | FileOptions): StorageBackend {
  return new FileBackend(settingsOf(pathOrOptions), DISK);
}
