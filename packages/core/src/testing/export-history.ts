import { UsageError } from "../errors/index.ts";
import { copyHeader } from "../model/copy-header.ts";
import type { RunHeader } from "../model/run.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { StoredEvent } from "../storage/event.ts";

/** A run's history as plain JSON, to be kept in a file and replayed later. Payloads stay as the codec wrote them. */
export interface ExportedHistory {
  readonly header: RunHeader;
  /** All events, oldest first. */
  readonly events: readonly StoredEvent[];
}

/**
 * Reads a run's history, open or closed.
 *
 * @throws UsageError `run-not-found`
 * @example
 * const exported = await exportHistory(storage, run.runId);
 * await writeFile("histories/order.json", JSON.stringify(exported));
 */
export async function exportHistory(storage: StorageBackend, runId: string): Promise<ExportedHistory> {
  const run = await storage.getRun(runId);
  if (run === undefined) {
    throw new UsageError("run-not-found", `There is no run "${runId}" to export. Check the id and the namespace.`);
  }
  const header = copyHeader(run, run);
  const { incarnation } = header;
  const events: StoredEvent[] = [];
  for (;;) {
    const [page] = await storage.readEvents([{ runId, incarnation, after: events.length }]);
    events.push(...page!.events);
    if (page!.events.length === 0 || events.length >= page!.lastSeq) return { header, events };
  }
}
