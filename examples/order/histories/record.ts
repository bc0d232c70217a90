// Records histories of the workflows as they are now: `npm run record -w examples/order -- v0.2`. They are kept for ever
// and replayed by the tests, so that no later version breaks the runs that an earlier one has begun.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestEnvironment, exportHistory, type TestEnvironment } from "@perdure/core/testing";
import { approved, order, shipment } from "../src/order.ts";

const version = process.argv[2];
if (version === undefined) throw new Error("Name the version, for example v0.2.");
const folder = join(import.meta.dirname, version);
mkdirSync(folder);
// Where this computer keeps the repository is nobody's business.
Error.stackTraceLimit = 0;

type Story = (env: TestEnvironment, runId: string) => Promise<void>;

/** Runs one order in virtual time, up to where the story leaves it, and writes its history and that of its child. */
async function record(name: string, input: { items: number; cents: number }, story: Story): Promise<void> {
  const env = createTestEnvironment({ workflows: [order, shipment], seed: name });
  const { runId } = await env.client.start(order, input, { id: name });
  await env.runUntilIdle();
  await story(env, runId);
  const { runs } = await env.client.list();
  for (const run of runs) {
    const exported = await exportHistory(env.storage, run.runId);
    writeFileSync(join(folder, `${run.runId}.json`), `${JSON.stringify(exported, null, 2)}\n`);
  }
  await env.close();
}

const approve: Story = (env, runId) => env.client.handle(runId).signal(approved, { by: "ada" });

/** Wakes the run, and lets it pack, which takes real time. The shipment is under way then. */
async function wakeAndPack(env: TestEnvironment): Promise<void> {
  await env.skip("1s");
  await env.runUntilIdle();
}

await record("completed", { items: 1, cents: 700 }, async (env, runId) => {
  await approve(env, runId);
  await wakeAndPack(env);
  await env.skip("1s");
});
await record("retried", { items: 2, cents: 12_000 }, async (env, runId) => {
  await env.skip("600ms");
  await env.skip("1s");
  await approve(env, runId);
  await wakeAndPack(env);
  await env.skip("1s");
});
await record("refused", { items: 5_000, cents: 700 }, async () => {});
await record("not-approved", { items: 1, cents: 700 }, (env) => env.skip("2h"));
await record("waiting", { items: 1, cents: 700 }, (env) => env.skip("1s"));
await record("cancelled-asleep", { items: 1, cents: 700 }, async (env, runId) => {
  await env.client.handle(runId).cancel({ reason: "second thoughts" });
  await env.runUntilIdle();
});
await record("cancelled-in-transit", { items: 1, cents: 700 }, async (env, runId) => {
  await approve(env, runId);
  await wakeAndPack(env);
  await env.client.handle(runId).cancel();
  await env.runUntilIdle();
});
