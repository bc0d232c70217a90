import type { Millis, StorageBackend } from "@perdure/core/storage";
import { expect } from "vitest";
import { anything, hold, newRun } from "./requests.ts";

/**
 * A holder is told of messages that came before the server's clock was set back: it merges timers and messages by time, so no
 * message may be later than the answer that brings it (I18, I24).
 * @param other another client of the same store, which knows of none of its runs
 * @param setClock sets the clock of both
 */
export async function expectTimeToCoverMessages(
  storage: StorageBackend,
  other: StorageBackend,
  setClock: (at: Millis) => Promise<void>,
): Promise<void> {
  await setClock(3_000);
  await storage.createRuns(["a", "b", "c", "d"].map((id) => newRun(id)));
  const [known, strange] = (await storage.claimTasks(anything({ limit: 2 }))).tasks.map(({ claim }) => claim);
  await setClock(5_000);
  const message = { dedupeId: "m", external: true, data: "{}" };
  await storage.deliver(["a", "b", "c", "d"].map((runId) => ({ runId, ...message })));
  await setClock(4_000);
  const answers = [
    ...(await storage.commitTasks([hold(known!, 1)])),
    ...(await other.commitTasks([hold(strange!, 1)])),
    ...(await storage.renewLeases([known!], 60_000)),
  ];
  for (const answer of answers) expect(answer).toMatchObject({ now: 5_000, messages: [{ at: 5_000 }] });
  for (const kinds of [["workflow"], ["workflow", "activity"]] as const) {
    const { now, tasks } = await storage.claimTasks(anything({ kinds, limit: 1, workerInstance: kinds.join() }));
    expect(now).toBe(5_000);
    expect(tasks).toMatchObject([{ messages: [{ at: 5_000 }] }]);
  }
}
