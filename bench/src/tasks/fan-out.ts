import { createClient } from "@perdure/core";
import { fan, seen } from "../definitions.ts";
import type { Site } from "../station/site.ts";

/** Runs of W3, one after the other; answers for each the milliseconds from `start()` to the answer of `result()`. */
export async function fanOut(
  { storage }: Site,
  { runs, activities }: { readonly runs: number; readonly activities: number },
): Promise<readonly number[]> {
  const client = createClient({ storage });
  const times: number[] = [];
  for (let at = 0; at < runs; at++) {
    const from = performance.now();
    const run = await client.start(fan, activities);
    const value = await run.result({ timeout: "30s" });
    times.push(performance.now() - from);
    if (value !== activities) throw new Error(`Run "${run.runId}" had ${value} results of ${activities}.`);
  }
  await client.close();
  return times;
}

/** How long the activities of each run took together, in milliseconds: since this was asked last, and in this process. */
export async function fanTimes(): Promise<readonly number[]> {
  return seen.fanMs.splice(0);
}
