// npm start -w examples/py-orchestrate-pipeline: a pipeline's worker is killed, and a mended one goes on. Takes a few
// seconds, leaves nothing behind.
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { readLedger } from "./ledger.ts";
import { loadRowByRow } from "./load.ts";
import { pipelineWith } from "./pipeline.ts";

const folder = mkdtempSync(join(tmpdir(), "perdure-pipeline-"));
const database = join(folder, "pipeline.db");
const ledger = (process.env["PIPELINE_LEDGER"] ??= join(folder, "ledger.jsonl"));
const storage = sqlite(database);
const client = createClient({ storage });

const workers: ChildProcess[] = [];
function startWorker(version: "old" | "mended"): ChildProcess {
  const worker = fork(new URL("worker.ts", import.meta.url), [database, version]);
  workers.push(worker);
  console.log(`worker ${worker.pid}: started, with the ${version} code`);
  return worker;
}

/** SIGKILL gives a process no chance to tidy up. */
async function end(worker: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  worker.kill(signal);
  await once(worker, "exit");
}

try {
  const run = await client.start(pipelineWith(loadRowByRow), { sources: ["orders", "refunds", "customers"] });

  const killed = startWorker("old");
  while (!readLedger(ledger).some(({ what }) => what === "load customers")) {
    assert.equal(killed.exitCode, null, "The worker ended by itself.");
    await pause(20);
  }
  await pause(300);
  await end(killed, "SIGKILL");
  const completed = (await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED").length;
  console.log(`worker ${killed.pid}: killed, with some of the customers loaded`);

  const successor = startWorker("mended");
  const result = await run.result({ timeout: "30s" });
  await end(successor, "SIGTERM");

  // What the first process found out, falsy as it is, and what either process has loaded.
  assert.deepEqual(result, {
    since: null,
    newColumns: false,
    duplicates: 0,
    problems: "",
    loaded: [
      { source: "orders", rows: 3 },
      { source: "refunds", rows: 0 },
      { source: "customers", rows: 20, batches: 1 },
    ],
  });
  // What really happened: the second process executed what the first had not completed, and nothing else.
  const executions = readLedger(ledger);
  const executedBy = ({ pid }: ChildProcess) =>
    executions.filter((execution) => execution.pid === pid).map(({ what }) => what);
  assert.equal(executedBy(killed).length, completed + 1);
  assert.equal(executedBy(killed).at(-1), "load customers");
  assert.deepEqual(executedBy(successor), ["load customers", "publish"]);
  console.log(
    `pipeline: ok — 1 worker killed, ${completed} completed activities kept, 0 repeated, 1 begun anew, mended`,
  );
} finally {
  for (const worker of workers) worker.kill("SIGKILL");
  await client.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
