import { createClient } from "@perdure/core";
import { openSubject, readOrder } from "./child-process.ts";
import { seeThrough } from "./insistent-client.ts";
import { runLabWorkers } from "./lab-workers.ts";
import type { SoloOrder } from "./order.ts";

/** So many runs are open at a time. */
const OPEN_RUNS = 6;

// The only process that has the store open: worker and client at once. It takes up what the one before it has left.
const order = readOrder() as SoloOrder;
const storage = await openSubject(order);
const client = createClient({ storage });
async function driveAll(): Promise<void> {
  const left = [...order.runs];
  const next = async (): Promise<void> => {
    for (let run = left.shift(); run !== undefined; run = left.shift()) await seeThrough(client, run);
  };
  await Promise.all(Array.from({ length: OPEN_RUNS }, next));
}

await Promise.race([runLabWorkers(storage, order), driveAll()]);
process.exit(0);
