import type { StorageBackend, StoredEvent } from "@perdure/core/storage";
import { equal } from "./assert.ts";
import type { CaseContext } from "./context.ts";

/** The whole history of a run, read page by page. */
export async function history(backend: StorageBackend, runId: string): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const [page] = await backend.readEvents([{ runId, after: events.length }]);
    if (page === undefined || page.events.length === 0) return events;
    events.push(...page.events);
    if (events.length >= page.lastSeq) return events;
  }
}

/** Everything that the port shows of some runs, and of the store's tasks. */
async function snapshot(t: CaseContext, runIds: readonly string[]): Promise<unknown> {
  const runs = [];
  for (const runId of runIds)
    runs.push({ run: await t.backend.getRun(runId), events: await history(t.backend, runId) });
  if (t.info.capabilities.listing === "eventual") return { runs };
  const { items } = await t.backend.listRuns({ limit: 1000 });
  const { now: _now, ...counts } = await t.backend.stats();
  return { runs, items, counts };
}

/** Does something that must be refused, and sees that nothing has changed. */
export async function unchanged<T>(
  t: CaseContext,
  runIds: readonly string[],
  what: string,
  action: () => Promise<T>,
): Promise<T> {
  const before = await snapshot(t, runIds);
  const answer = await action();
  equal(await snapshot(t, runIds), before, what);
  return answer;
}
