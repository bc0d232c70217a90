import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { readLedger } from "../src/ledger.ts";

const program = join(import.meta.dirname, "..", "src", "main.ts");

it(
  "kills a worker, repeats nothing that it had completed (I12), and leaves nothing behind",
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "perdure-pipeline-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const ledger = join(folder, "ledger.jsonl");
    // An exit code other than 0 rejects.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--conditions=@perdure/source", program], {
      timeout: 55_000,
      env: { ...process.env, TMPDIR: folder, PIPELINE_LEDGER: ledger },
    });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^worker \d+: killed, with some of the customers loaded$/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(
      "pipeline: ok — 1 worker killed, 12 completed activities kept, 0 repeated, 1 begun anew, mended",
    );

    const executions = readLedger(ledger);
    const executedBy = (pid: number) => executions.filter((execution) => execution.pid === pid);
    const [killed, successor] = [...new Set(executions.map(({ pid }) => pid))];
    expect(executedBy(killed!)).toHaveLength(13);
    expect(executedBy(successor!).map(({ what }) => what)).toEqual(["load customers", "publish"]);
    // The warehouse can tell that both loads of the customers are one call.
    expect(executedBy(killed!).at(-1)!.idempotencyKey).toBe(executedBy(successor!)[0]!.idempotencyKey);
    expect(readdirSync(folder)).toEqual(["ledger.jsonl"]);
  },
);
