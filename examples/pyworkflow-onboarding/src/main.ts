// npm start -w examples/pyworkflow-onboarding: three customers arrive. Takes a few seconds, leaves nothing behind.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, createWorker, isPerdureError, type Logger } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { readLedger } from "./ledger.ts";
import { onboarding } from "./onboarding.ts";

const startedAt = performance.now();
function say(sentence: string): void {
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(2).padStart(5)} s  ${sentence}`);
}
const logger: Logger = { debug() {}, info: say, warn: say, error: say };

const folder = mkdtempSync(join(tmpdir(), "perdure-onboarding-"));
const ledger = (process.env["ONBOARDING_LEDGER"] ??= join(folder, "ledger.jsonl"));
// A day and a week, unless somebody is in a hurry. Here everybody is.
const pace = { tipsAfter: "300ms", surveyAfter: "500ms" } as const;

const storage = sqlite(join(folder, "onboarding.db"));
const worker = createWorker({ storage, workflows: [onboarding], logger });
const client = createClient({ storage });
try {
  void worker.run();

  // Ada clicks twice. One key, one run: the second start answers the run of the first.
  const start = () =>
    client.start(onboarding, { email: "ada@perdure.example", ...pace }, { idempotencyKey: "ada@perdure.example" });
  const [once, twice] = await Promise.all([start(), start()]);
  assert.equal(once.runId, twice.runId);

  const [mallory, grace] = await Promise.all([
    client.start(onboarding, { email: "mallory@blocked.example", ...pace }),
    client.start(onboarding, { email: "grace@perdure.example", ...pace }),
  ]);

  await assert.rejects(mallory.result(), (error) => {
    assert(isPerdureError(error, "run-failed"));
    say(`mallory's run failed: ${error.failure.cause?.message}`);
    return true;
  });
  assert.deepEqual(await twice.result(), {
    account: "account-of-ada@perdure.example",
    workspace: "workspace-of-account-of-ada@perdure.example",
    contact: "contact-of-ada@perdure.example",
  });
  await grace.result();

  // What really happened is in the ledger, execution by execution.
  const executions = readLedger(ledger);
  const executedFor = (runId: string) =>
    executions.filter((execution) => execution.runId === runId).map(({ activity }) => activity);
  for (const { runId } of [once, grace]) {
    assert.deepEqual(executedFor(runId).toSorted(), [
      "add-to-crm",
      "add-to-crm", // the CRM wanted to be asked again
      "create-account", // once, also for Ada
      "prepare-workspace",
      "send-mail",
      "send-mail",
      "send-mail", // the welcome, at the third attempt
      "send-mail", // the tips
      "send-mail", // the survey
      "subscribe",
    ]);
  }
  assert.deepEqual(executedFor(mallory.runId), ["create-account"]);
  console.log(
    "onboarding: ok — 2 starts made 1 run, 2 customers welcomed at the third attempt, 1 refused at the first",
  );
} finally {
  await worker.stop();
  await client.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
}
