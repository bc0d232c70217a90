import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { readLedger } from "../src/ledger.ts";

const program = join(import.meta.dirname, "..", "src", "main.ts");

it("ends well, says what it has proven, and leaves nothing behind", { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "perdure-onboarding-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = join(folder, "ledger.jsonl");
  // An exit code other than 0 rejects.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--conditions=@perdure/source", program], {
    timeout: 25_000,
    env: { ...process.env, TMPDIR: folder, ONBOARDING_LEDGER: ledger },
  });
  expect(stderr).toBe("");
  expect(stdout).toContain("send-mail ada@perdure.example welcome failed at attempt 2: the mail server did not answer");
  expect(stdout).toContain("mallory's run failed: mallory@blocked.example may not have an account");
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(
    "onboarding: ok — 2 starts made 1 run, 2 customers welcomed at the third attempt, 1 refused at the first",
  );
  expect(readLedger(ledger)).toHaveLength(21);
  expect(readdirSync(folder)).toEqual(["ledger.jsonl"]);
});
