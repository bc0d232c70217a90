import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "@perdure/core";
import { five } from "../definitions.ts";
import type { Site } from "../station/site.ts";

/** One run after the other; answers for each the milliseconds from `start()` to the answer of `result()`. */
export async function roundTrips(
  { storage }: Site,
  { count, idleMs }: { readonly count: number; readonly idleMs: number },
): Promise<readonly number[]> {
  const client = createClient({ storage });
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    if (idleMs > 0) await wait(idleMs);
    const from = performance.now();
    const run = await client.start(five, at);
    const { value } = await run.result({ timeout: "30s" });
    times.push(performance.now() - from);
    if (value !== 42) throw new Error(`Run "${run.runId}" answered ${value}.`);
  }
  await client.close();
  return times;
}
