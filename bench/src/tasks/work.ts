import { createWorker } from "@perdure/core";
import { five } from "../definitions.ts";
import { Profiler } from "../profile/profiler.ts";
import type { Site } from "../station/site.ts";
import { cpuMsSince, peakRssMb } from "./usage.ts";

export interface Work {
  readonly concurrency: number;
  readonly runs: number;
  /** Where to leave a profile, if one is wanted. */
  readonly profile: string | null;
}

/** What a worker needed for its work, from its start (with its code loaded and the store open) until all runs were done. */
export interface Worked {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly calls: number;
  readonly writes: number;
}

/** Works until so many enqueued runs are done. */
export async function work({ storage, meter }: Site, { concurrency, runs, profile }: Work): Promise<Worked> {
  await storage.setup();
  const worker = createWorker({ storage, workflows: [five], concurrency });
  const profiler = profile === null ? null : await Profiler.start();
  const closed = meter.closed(runs);
  const before = meter.counts();
  const cpu = process.cpuUsage();
  const from = performance.now();
  const running = worker.run();
  await closed;
  const ms = performance.now() - from;
  const cpuMs = cpuMsSince(cpu);
  const after = meter.counts();
  await profiler?.stop(profile!);
  await worker.stop();
  await running;
  meter.requireNoFailure();
  return { ms, cpuMs, rssMb: peakRssMb(), calls: after.calls - before.calls, writes: after.writes - before.writes };
}
