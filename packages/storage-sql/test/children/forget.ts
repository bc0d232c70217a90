import type { StorageBackend } from "@perdure/core/storage";
import { newRun } from "../requests.ts";

/** Uses a store, in a child process, and closes nothing. */
export async function forget(storage: StorageBackend): Promise<void> {
  const subscription = await storage.subscribe!(() => {});
  subscription.add({ of: "queue", queue: "main" });
  await storage.createRuns([newRun("run")]);
  process.send!("subscribed");
  process.disconnect();
}
