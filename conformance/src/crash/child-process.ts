import { flushCompileCache } from "node:module";
import type { StorageBackend } from "@perdure/core/storage";
import type { BackendUnderTest } from "../subject.ts";
import type { ProcessOrder } from "./order.ts";

/** Reads the order that this process was started with, and opens the subject. Ends the process when its supervisor is gone. */
export async function obey<Order extends ProcessOrder>(): Promise<{
  readonly order: Order;
  readonly storage: StorageBackend;
}> {
  const order = JSON.parse(process.argv[2]!) as Order;
  setInterval(() => process.ppid === order.supervisor || process.exit(1), 250).unref();
  const { default: subject } = (await import(order.module)) as { default: BackendUnderTest };
  const storage = await subject.open({ namespace: order.namespace, clock: { now: () => Date.now() } });
  // What was compiled is kept for the next process: this one will hardly end in a way that keeps it.
  flushCompileCache();
  return { order, storage };
}
