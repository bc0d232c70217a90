import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A directory of this test file, gone after it. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "perdure-sqlite-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a module in a process of its own; answers what it sends last, when it has ended. */
export function child(module: URL, args: readonly string[], options: { readonly uid?: number } = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const forked = fork(module, [...args], {
      execArgv: ["--conditions=@perdure/source"],
      ...options,
    });
    let last: unknown;
    forked.on("message", (message) => (last = message));
    forked.on("error", reject);
    forked.on("exit", (code) =>
      code === 0 ? resolve(last) : reject(new Error(`${module.pathname} ended with ${code}`)),
    );
  });
}
