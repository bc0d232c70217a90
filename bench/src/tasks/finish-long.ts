import { createClient, createWorker } from "@perdure/core";
import { finish, long, marks } from "../definitions.ts";
import type { Site } from "../station/site.ts";
import { peakRssMb } from "./usage.ts";

export interface Resumed {
  /** From the last event that was read until the code had the result of its last activity again. */
  readonly replayMs: number;
  /** From the worker's start until the run was done. */
  readonly resumeMs: number;
  readonly rssMb: number;
}

/** Sends the signal that a run of `long` waits for, and has a worker finish it that has never seen it. */
export async function finishLong(
  { storage, meter }: Site,
  { runId, activities }: { readonly runId: string; readonly activities: number },
): Promise<Resumed> {
  const client = createClient({ storage });
  const run = client.handle(runId, long);
  await run.signal(finish, null);
  const worker = createWorker({ storage, workflows: [long] });
  marks.executedAt = [];
  const closed = meter.closed(1);
  const from = performance.now();
  const running = worker.run();
  await closed;
  const resumeMs = performance.now() - from;
  const replayMs = marks.caughtUpAt - meter.readAt;
  const rssMb = peakRssMb();
  if (marks.executedAt.length > 0) throw new Error(`A replay executed ${marks.executedAt.length} activities again.`);
  if ((await run.result()) !== activities)
    throw new Error(`Run "${runId}" answered something else than ${activities}.`);
  await worker.stop();
  await running;
  await client.close();
  return { replayMs, resumeMs, rssMb };
}
