import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether {@link limitFiles} works here. */
export function canLimitFiles(): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => isExecutable(join(folder, "prlimit")));
}

/** From now on a process cannot write beyond so many bytes of any file; `unlimited` ends that. */
export async function limitFiles(pid: number, bytes: number | "unlimited"): Promise<void> {
  // Only what it may raise again: the hard limit stays.
  await run("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`]);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
