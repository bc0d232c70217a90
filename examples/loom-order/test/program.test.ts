import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { toMermaid } from "@perdure/core";
import { expect, it, onTestFinished } from "vitest";
import { readLedger } from "../src/ledger.ts";
import { order } from "../src/order.ts";

const program = join(import.meta.dirname, "..", "src", "main.ts");

it("draws its graph, ends well, says what it has proven, and leaves nothing behind", { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "perdure-order-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = join(folder, "ledger.jsonl");
  // An exit code other than 0 rejects.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--conditions=@perdure/source", program], {
    timeout: 25_000,
    env: { ...process.env, TMPDIR: folder, ORDER_LEDGER: ledger },
  });
  expect(stderr).toBe("");
  expect(stdout).toContain(toMermaid(order.graph()));
  for (const sentence of ["order-of-mallory: declined", "order-of-grace: withdrawn", "order-of-ada: shipped"]) {
    expect(stdout).toContain(sentence);
  }
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(
    "order: ok — 1 shipped, 1 declined and released, 1 withdrawn and refunded",
  );
  expect(readLedger(ledger)).toHaveLength(20);
  expect(readdirSync(folder)).toEqual(["ledger.jsonl"]);
});
