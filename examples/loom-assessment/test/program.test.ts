import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { toMermaid } from "@perdure/core";
import { expect, it, onTestFinished } from "vitest";
import { assessment } from "../src/assessment.ts";
import { readLedger } from "../src/ledger.ts";

const program = join(import.meta.dirname, "..", "src", "main.ts");

it("draws its graph, ends well, says what it has proven, and leaves nothing behind", { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "perdure-assessment-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = join(folder, "ledger.jsonl");
  // An exit code other than 0 rejects.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--conditions=@perdure/source", program], {
    timeout: 25_000,
    env: { ...process.env, TMPDIR: folder, ASSESSMENT_LEDGER: ledger },
  });
  expect(stderr).toBe("");
  expect(stdout).toContain(toMermaid(assessment.graph()));
  expect(stdout).toContain("quiz-of-ada: waits for answers");
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(
    "assessment: ok — 2 students graded, 1 answer came before its question, 3 reminders sent",
  );
  expect(readLedger(ledger)).toHaveLength(17);
  expect(readdirSync(folder)).toEqual(["ledger.jsonl"]);
});
