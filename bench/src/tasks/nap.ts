import { createClient, createWorker } from "@perdure/core";
import { nap, seen } from "../definitions.ts";
import { type Nap, lateness } from "../lateness.ts";
import type { Site } from "../station/site.ts";

/** Starts runs of W6, all at once; answers their ids. */
export async function startNaps(
  { storage }: Site,
  { runs, ms }: { readonly runs: number; readonly ms: number },
): Promise<readonly string[]> {
  const client = createClient({ storage });
  const handles = await client.startMany(Array.from({ length: runs }, () => ({ definition: nap, input: ms })));
  await client.close();
  return handles.map(({ runId }) => runId);
}

/**
 * Works until so many runs of W6 are done; answers for each how many milliseconds after its time it went on.
 * @throws Error if one went on before its time
 */
export async function workNaps(
  { storage, meter }: Site,
  { runs, ms }: { readonly runs: number; readonly ms: number },
): Promise<readonly number[]> {
  await storage.setup();
  const worker = createWorker({ storage, workflows: [nap] });
  const closed = meter.closed(runs);
  const running = worker.run();
  await closed;
  await worker.stop();
  await running;
  meter.requireNoFailure();
  const slept = [...seen.sleptMs];
  seen.sleptMs.clear();
  if (slept.length !== runs) throw new Error(`Of ${runs} runs of W6, ${slept.length} have slept.`);
  const pages = await storage.readEvents(slept.map(([runId]) => ({ runId, after: 0 })));
  return slept.map(([runId, sleptMs], index) => {
    const { events } = pages[index]!;
    const asked = events.find(({ type }) => type === "TIMER_STARTED");
    const fired = events.find(({ type }) => type === "TIMER_FIRED");
    if (asked === undefined || fired === undefined) throw new Error(`Run "${runId}" has not slept.`);
    const { dueAt } = JSON.parse(asked.data) as Pick<Nap, "dueAt">;
    return lateness({ runId, ms, sleptMs, dueAt, firedAt: fired.at });
  });
}
