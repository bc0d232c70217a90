// Records histories of the workflow as it is now: `npm run record -w examples/pyworkflow-onboarding -- v0.2`. They are
// kept for ever and replayed by the tests, so that no later version breaks the runs that an earlier one has begun.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duration } from "@perdure/core";
import { createTestEnvironment, exportHistory } from "@perdure/core/testing";
import { onboarding } from "../src/onboarding.ts";

const version = process.argv[2];
if (version === undefined) throw new Error("Name the version, for example v0.2.");
const folder = join(import.meta.dirname, version);
mkdirSync(folder);
// Where this computer keeps the repository is nobody's business.
Error.stackTraceLimit = 0;

/** Runs one onboarding in virtual time for as long as is said, and writes its history. The name begins with its status. */
async function record(name: string, email: string, time: Duration): Promise<void> {
  const env = createTestEnvironment({ workflows: [onboarding], seed: name });
  const { runId } = await env.client.start(onboarding, { email }, { id: name });
  await env.skip(time);
  const exported = await exportHistory(env.storage, runId);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(exported, null, 2)}\n`);
  await env.close();
}

await record("completed", "ada@perdure.example", "9d");
await record("failed", "mallory@blocked.example", "1m");
await record("open-retrying", "ada@perdure.example", "300ms");
await record("open-asleep", "ada@perdure.example", "1h");
