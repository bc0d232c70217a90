// Records histories of the workflow as it is now: `npm run record -w examples/loom-assessment -- v0.2`. They are kept for ever
// and replayed by the tests, so that no later version breaks the runs that an earlier one has begun.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestEnvironment, exportHistory, type TestEnvironment } from "@perdure/core/testing";
import { answered, assessment } from "../src/assessment.ts";

const version = process.argv[2];
if (version === undefined) throw new Error("Name the version, for example v0.2.");
const folder = join(import.meta.dirname, version);
mkdirSync(folder);
// Where this computer keeps the repository is nobody's business.
Error.stackTraceLimit = 0;

type Story = (env: TestEnvironment, runId: string) => Promise<void>;

/** Runs one assessment in virtual time, up to where the story leaves it, and writes its history. The name begins with its status. */
async function record(name: string, topic: string, story: Story): Promise<void> {
  const env = createTestEnvironment({ workflows: [assessment], seed: name });
  const { runId } = await env.client.start(assessment, { student: "ada", topic }, { id: name });
  await env.skip("1m");
  await story(env, runId);
  const exported = await exportHistory(env.storage, runId);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(exported, null, 2)}\n`);
  await env.close();
}

/** Answers two of three questions. */
const answer: Story = async (env, runId) => {
  await env.client.handle(runId).signal(answered, { question: 1, text: "1024" });
  await env.client.handle(runId).signal(answered, { question: 0, text: "41" });
  await env.runUntilIdle();
};

await record("completed", "arithmetic", async (env, runId) => {
  await answer(env, runId);
  await env.skip("2d");
  await env.client.handle(runId).signal(answered, { question: 2, text: "12" });
  await env.skip("1w");
});
await record("completed-without-answers", "arithmetic", (env) => env.skip("2w"));
await record("failed-unknown-topic", "heraldry", async () => {});
await record("open-waiting", "arithmetic", answer);
