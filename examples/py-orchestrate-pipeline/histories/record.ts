// Records histories of the workflow as it is now: `npm run record -w examples/py-orchestrate-pipeline -- v0.2`. They are
// kept for ever and replayed by the tests, so that no later version breaks the runs that an earlier one has begun.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestEnvironment, exportHistory } from "@perdure/core/testing";
import { loadInBatches, loadRowByRow } from "../src/load.ts";
import { pipelineWith } from "../src/pipeline.ts";

const version = process.argv[2];
if (version === undefined) throw new Error("Name the version, for example v0.2.");
const folder = join(import.meta.dirname, version);
mkdirSync(folder);

const old = pipelineWith(loadRowByRow);
const mended = pipelineWith(loadInBatches);

/** Runs the versions one after the other over one store, and writes the history. The name begins with its status. */
async function record(name: string, versions: readonly (typeof old)[], source: string): Promise<void> {
  const first = createTestEnvironment({ workflows: [versions[0]!], seed: name });
  await first.client.start(versions[0]!, { sources: ["refunds", source] }, { id: name });
  await first.skip("1s");
  await first.worker.stop({ grace: 0 });
  for (const [at, later] of versions.slice(1).entries()) {
    const { storage, clock } = first;
    const env = createTestEnvironment({ storage, clock, workflows: [later], seed: `${name}-${at}` });
    await env.runUntilIdle();
    await env.close();
  }
  const exported = await exportHistory(first.storage, name);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(exported, null, 2)}\n`);
  await first.close();
}

await record("completed", [old, mended], "orders");
await record("completed-by-both", [old, mended], "customers");
await record("open-loading", [old], "customers");
