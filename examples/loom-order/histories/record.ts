// Records histories of the workflow as it is now: `npm run record -w examples/loom-order -- v0.2`. They are kept for ever
// and replayed by the tests, so that no later version breaks the runs that an earlier one has begun.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestEnvironment, exportHistory, type TestEnvironment } from "@perdure/core/testing";
import { order } from "../src/order.ts";

const version = process.argv[2];
if (version === undefined) throw new Error("Name the version, for example v0.2.");
const folder = join(import.meta.dirname, version);
mkdirSync(folder);
// Where this computer keeps the repository is nobody's business.
Error.stackTraceLimit = 0;

type Story = (env: TestEnvironment, runId: string) => Promise<void>;

/** Runs one order in virtual time, up to where the story leaves it, and writes its history. The name begins with its status. */
async function record(name: string, customer: string, story: Story): Promise<void> {
  const env = createTestEnvironment({ workflows: [order], seed: name });
  const items = [
    { sku: "tea", quantity: 2 },
    { sku: "cup", quantity: 1 },
  ];
  const { runId } = await env.client.start(order, { customer, items }, { id: name });
  await env.skip("1m");
  await story(env, runId);
  const exported = await exportHistory(env.storage, runId);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(exported, null, 2)}\n`);
  await env.close();
}

await record("completed", "ada@perdure.example", (env) => env.skip("30m"));
await record("failed-declined", "mallory@perdure.example", async () => {});
await record("open-asleep", "ada@perdure.example", async () => {});
await record("cancelled-asleep", "grace@perdure.example", async (env, runId) => {
  await env.client.handle(runId).cancel({ reason: "changed her mind" });
  await env.runUntilIdle();
});
