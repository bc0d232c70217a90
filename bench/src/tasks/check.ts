import type { Site } from "../station/site.ts";
import type { Filling } from "./fill.ts";

const AT_ONCE = 100;

/** @throws Error unless all these runs, and no others than what the store was filled with, are completed with so many events each. */
export async function check(
  { storage }: Site,
  {
    runIds,
    events,
    filling: { finished, parked } = { finished: 0, parked: 0 },
  }: { readonly runIds: readonly string[]; readonly events: number; readonly filling?: Filling | undefined },
): Promise<null> {
  const { runs } = await storage.stats();
  const completed = finished + runIds.length;
  if (runs.completed !== completed || runs.open !== parked || runs.failed + runs.cancelled > 0) {
    throw new Error(`There should be ${completed} completed and ${parked} open runs: ${JSON.stringify(runs)}.`);
  }
  for (let at = 0; at < runIds.length; at += AT_ONCE) {
    const pages = await storage.readEvents(runIds.slice(at, at + AT_ONCE).map((runId) => ({ runId, after: 0 })));
    pages.forEach(({ lastSeq, events: page }, index) => {
      if (lastSeq === events && page.length === events && page.at(-1)!.type === "WORKFLOW_COMPLETED") return;
      const types = page.map(({ type }) => type);
      throw new Error(`Run "${runIds[at + index]}" should have ${events} events: ${types.join(", ")}.`);
    });
  }
  return null;
}
