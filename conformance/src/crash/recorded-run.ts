import type { Client, WorkflowEvent } from "@perdure/core";
import type { Run, StorageBackend } from "@perdure/core/storage";
import { check } from "../assert.ts";

/** A run as the storage has it in the end. */
export interface RecordedRun {
  readonly run: Run;
  readonly history: readonly WorkflowEvent[];
}

/** Reads a run, and all runs that it started. */
export async function recordedRuns(
  storage: StorageBackend,
  client: Client,
  runId: string,
): Promise<readonly RecordedRun[]> {
  const run = await storage.getRun(runId);
  check(run, `run "${runId}", which was started and acknowledged, is there (I4)`);
  const history = await client.handle(runId).history();
  const recorded = [{ run, history }];
  for (const { type, data } of history) {
    if (type === "CHILD_SCHEDULED") recorded.push(...(await recordedRuns(storage, client, data.runId)));
  }
  return recorded;
}
