import { createWorker } from "@perdure/core";
import { five } from "../definitions.ts";
import { Profiler } from "../profile/profiler.ts";
import type { Site } from "../station/site.ts";
import { peakRssMb, stopwatch, type Use } from "./usage.ts";

export interface Work {
  readonly concurrency: number;
  readonly runs: number;
  /** Where to leave a profile, if one is wanted. */
  readonly profile: string | null;
}

/** What a worker needed for its work, from its start (with its code loaded and the store open) until all runs were done. */
export interface Worked extends Use {
  readonly rssMb: number;
  /** Given to the server that the store is in; calls of the port where there is none. */
  readonly statements: number;
  /** Calls of the port that write. */
  readonly writes: number;
}

/** Works until so many enqueued runs are done. */
export async function work(site: Site, { concurrency, runs, profile }: Work): Promise<Worked> {
  const { storage, meter, backend } = site;
  await storage.setup();
  // A profile is of the work alone: to look for the server's processes would stand in it.
  const start = await stopwatch(profile === null ? backend : { describeServer: null });
  const worker = createWorker({ storage, workflows: [five], concurrency });
  const profiler = profile === null ? null : await Profiler.start();
  const closed = meter.closed(runs);
  // In a library a statement is a call of a function: there the calls of the port say more.
  const count = backend.describeServer === null ? () => meter.counts().calls : site.statementCount;
  const before = { statements: count(), writes: meter.counts().writes };
  const stop = start();
  const running = worker.run();
  await closed;
  const use = stop();
  const statements = count() - before.statements;
  const writes = meter.counts().writes - before.writes;
  await profiler?.stop(profile!);
  await worker.stop();
  await running;
  meter.requireNoFailure();
  return { ...use, rssMb: peakRssMb(), statements, writes };
}
