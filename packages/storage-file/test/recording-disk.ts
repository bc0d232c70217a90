import { DISK, type Disk } from "../src/disk.ts";

/** One thing that was done to a file or to the names in the folder. */
export type Step =
  | { readonly do: "create"; readonly path: string }
  | { readonly do: "write"; readonly path: string; readonly bytes: Buffer }
  | { readonly do: "truncate"; readonly path: string; readonly size: number }
  | { readonly do: "sync"; readonly path: string }
  | { readonly do: "rename"; readonly from: string; readonly to: string }
  | { readonly do: "remove"; readonly path: string }
  | { readonly do: "sync-names" }
  /** A write of the test was begun, or answered. */
  | { readonly do: "begin" | "end"; readonly write: number };

/** The files of this machine, and a record of all that is done to them. */
export function recordingDisk(steps: Step[]): Disk {
  const paths = new Map<number, string>();
  return {
    ...DISK,
    open(path, mode) {
      const file = DISK.open(path, mode);
      paths.set(file, path);
      if (mode === "new") steps.push({ do: "create", path });
      return file;
    },
    write(file, bytes) {
      const written = DISK.write(file, bytes);
      steps.push({ do: "write", path: paths.get(file)!, bytes: Buffer.from(bytes.subarray(0, written)) });
      return written;
    },
    truncate(file, size) {
      DISK.truncate(file, size);
      steps.push({ do: "truncate", path: paths.get(file)!, size });
    },
    async sync(file) {
      // What is written while a sync runs may not be in it.
      const at = steps.length;
      await DISK.sync(file);
      steps.splice(at, 0, { do: "sync", path: paths.get(file)! });
    },
    syncNow(file) {
      DISK.syncNow(file);
      steps.push({ do: "sync", path: paths.get(file)! });
    },
    rename(from, to) {
      DISK.rename(from, to);
      for (const [file, path] of paths) if (path === from) paths.set(file, to);
      steps.push({ do: "rename", from, to });
    },
    remove(path) {
      DISK.remove(path);
      steps.push({ do: "remove", path });
    },
    syncFolder(folder) {
      DISK.syncFolder(folder);
      steps.push({ do: "sync-names" });
    },
  };
}
