import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Ran {
  /** `null`: it was killed, for taking too long. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 30_000;

/** Runs a program of a page with this process's Node, from the packages' sources, in an empty folder. */
export function runProgram(file: string): Promise<Ran> {
  const cwd = mkdtempSync(join(tmpdir(), "perdure-docs-"));
  return new Promise((resolve) => {
    const args = ["--conditions=@perdure/source", file];
    const child = execFile(
      process.execPath,
      args,
      { cwd, timeout: LIMIT_MS, killSignal: "SIGKILL" },
      (_, stdout, stderr) => {
        rmSync(cwd, { recursive: true, force: true });
        resolve({ code: child.exitCode, stdout, stderr });
      },
    );
  });
}
