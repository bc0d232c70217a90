import { flushCompileCache } from "node:module";
import type { StorageBackend } from "@perdure/core/storage";
import type { BackendUnderTest } from "../subject.ts";
import type { ProcessOrder } from "./order.ts";

/** The order that this process was started with. Ends the process when its supervisor is gone. */
export function readOrder(): ProcessOrder {
  const order = JSON.parse(process.argv[2]!) as ProcessOrder;
  setInterval(() => process.ppid === order.supervisor || process.exit(1), 250).unref();
  return order;
}

/** Opens the subject. */
export async function openSubject({ module, namespace, server }: ProcessOrder): Promise<StorageBackend> {
  const { default: subject } = (await import(module)) as { default: BackendUnderTest };
  const storage = await subject.open({ namespace, clock: { now: () => Date.now() }, ...(server && { server }) });
  // What was compiled is kept for the next process: this one will hardly end in a way that keeps it.
  flushCompileCache();
  return storage;
}
