import { createWorker, type Worker } from "@perdure/core";
import { fan, five, nap } from "../definitions.ts";
import type { Ends } from "../meter.ts";
import type { Site } from "../station/site.ts";
import { stopwatch, type Use } from "./usage.ts";

const workflows = { five, fan, nap };

interface Working {
  readonly worker: Worker;
  readonly running: Promise<void>;
}

let working: Working | null = null;

/** Starts a worker that waits for runs of one workflow; answers when it did, by the wall clock. */
export async function startWorker(
  { storage }: Site,
  { workflow, concurrency }: { readonly workflow: keyof typeof workflows; readonly concurrency: number },
): Promise<number> {
  await storage.setup();
  const worker = createWorker({ storage, workflows: [workflows[workflow]], concurrency });
  const startedAt = Date.now();
  working = { worker, running: worker.run() };
  return startedAt;
}

/** How many runs this process has brought to their end so far. */
export async function ends({ meter }: Site): Promise<Ends> {
  meter.requireNoFailure();
  return meter.ends;
}

/** What a worker uses in so many milliseconds. */
export async function use(
  { backend, statementCount }: Site,
  { ms }: { readonly ms: number },
): Promise<Use & { readonly statements: number }> {
  const start = await stopwatch(backend);
  const before = statementCount();
  const stop = start();
  await new Promise((resolve) => void setTimeout(resolve, ms));
  return { ...stop(), statements: statementCount() - before };
}

/** Stops what {@link startWorker} started. */
export async function stopWorker({ meter }: Site): Promise<null> {
  await working?.worker.stop();
  await working?.running;
  working = null;
  meter.requireNoFailure();
  return null;
}
