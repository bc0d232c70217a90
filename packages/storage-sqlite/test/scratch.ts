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
