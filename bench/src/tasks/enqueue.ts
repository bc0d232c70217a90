import { createClient } from "@perdure/core";
import { five } from "../definitions.ts";
import type { Site } from "../station/site.ts";

/** Starts runs of W1, all at once; answers their ids, and the milliseconds until all were acknowledged. */
export async function enqueue(
  { storage }: Site,
  { runs }: { readonly runs: number },
): Promise<{ readonly ms: number; readonly runIds: readonly string[] }> {
  const client = createClient({ storage });
  await client.stats();
  const from = performance.now();
  const handles = await client.startMany(Array.from({ length: runs }, (_, input) => ({ definition: five, input })));
  const ms = performance.now() - from;
  await client.close();
  return { ms, runIds: handles.map(({ runId }) => runId) };
}
