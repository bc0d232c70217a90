import { createClient, createWorker } from "@perdure/core";
import { long, marks } from "../definitions.ts";
import type { Site } from "../station/site.ts";
import { peakRssMb } from "./usage.ts";

/** Microseconds per activity: over all, over the first hundred and over the last hundred. */
export interface LongWork {
  readonly runId: string;
  readonly us: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly rssMb: number;
}

/** Starts one run of so many activities and works until it waits for its signal. */
export async function workLong(
  { storage, meter }: Site,
  { activities }: { readonly activities: number },
): Promise<LongWork> {
  const client = createClient({ storage });
  const { runId } = await client.start(long, activities);
  const worker = createWorker({ storage, workflows: [long] });
  marks.executedAt = [];
  const parked = meter.parked(1);
  const from = performance.now();
  const running = worker.run();
  await parked;
  const us = ((performance.now() - from) * 1000) / activities;
  const rssMb = peakRssMb();
  await worker.stop();
  await running;
  return {
    runId,
    us,
    firstUs: meanUs(marks.executedAt.slice(0, 101)),
    lastUs: meanUs(marks.executedAt.slice(-101)),
    rssMb,
  };
}

/** The mean time between two of these times. */
function meanUs(times: readonly number[]): number {
  return ((times.at(-1)! - times[0]!) * 1000) / (times.length - 1);
}
