import { createWorker, type Worker } from "@perdure/core";
import { five } from "../definitions.ts";
import type { Site } from "../station/site.ts";

let idle: { readonly worker: Worker; readonly running: Promise<void> } | null = null;

/** Starts a worker with default settings that waits for work. */
export async function idleWorker({ storage }: Site): Promise<null> {
  const worker = createWorker({ storage, workflows: [five] });
  await storage.setup();
  idle = { worker, running: worker.run() };
  return null;
}

/** Stops what {@link idleWorker} started. */
export async function stopWorker(): Promise<null> {
  await idle?.worker.stop();
  await idle?.running;
  idle = null;
  return null;
}
