import { DISK, type Disk } from "../src/disk.ts";

/** A disk of which one operation fails. */
export interface FailingDisk {
  readonly disk: Disk;
  /** From now on the operation with this number fails, counted from 1; those after it work again. */
  failAt(number: number, code: string): void;
  /** What has failed; undefined: nothing did yet. */
  failed(): keyof Disk | undefined;
}

/** Operations that fail. `close` does not, and to remove what is no longer needed is not necessary. */
const OPERATIONS = [
  "open",
  "size",
  "read",
  "write",
  "truncate",
  "sync",
  "syncNow",
  "rename",
  "list",
  "syncFolder",
] as const;

/** Only these say that there is no room. */
const GROWING: ReadonlySet<keyof Disk> = new Set(["open", "write", "rename"]);

export function failingDisk(): FailingDisk {
  let left = Infinity;
  let failure = "EIO";
  let failed: keyof Disk | undefined;
  const disk = { ...DISK } as Record<keyof Disk, (...args: never[]) => unknown>;
  for (const name of OPERATIONS) {
    const operation = DISK[name] as (...args: never[]) => unknown;
    disk[name] = (...args) => {
      if (failure === "ENOSPC" && !GROWING.has(name)) return operation(...args);
      left -= 1;
      if (left !== 0) return operation(...args);
      failed = name;
      const error = Object.assign(new Error(`${failure}: planted, ${name}`), { code: failure, syscall: name });
      // Half of what was to be written is there.
      if (name === "write") DISK.write(args[0]!, half(args[1]!));
      if (name === "sync") return Promise.reject(error);
      throw error;
    };
  }
  return {
    disk: disk as unknown as Disk,
    failAt(number, code) {
      left = number;
      failure = code;
      failed = undefined;
    },
    failed: () => failed,
  };
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length >> 1);
}
