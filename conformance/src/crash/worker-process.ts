import { openSync } from "node:fs";
import { join } from "node:path";
import { createWorker } from "@perdure/core";
import { openSubject, readOrder } from "./child-process.ts";
import { FileLedger } from "./ledger.ts";
import type { WorkerOrder } from "./order.ts";
import { Stalls } from "./stalls.ts";
import { watch } from "./watch.ts";
import { labWorkflows, REMOTE_QUEUE, remoteActivity } from "./workflows.ts";

const order = readOrder() as WorkerOrder;
const storage = await openSubject(order);
const { by, leaseMs, marks } = order;
const ledger = new FileLedger(order.ledger);

/** The first process that gets here with a key stops, and later goes on at this very place. */
function freeze(run: string, key: string): void {
  try {
    openSync(join(marks, key), "wx");
  } catch {
    return;
  }
  ledger.note({ what: "frozen", by, run });
  process.kill(process.pid, "SIGSTOP");
}

const stalls = new Stalls(ledger, by, leaseMs);
stalls.start();
const performer = { ledger, by, freeze };
const options = {
  storage: watch(stalls.watch(storage), ledger, by),
  lease: leaseMs,
  // Kills must not look like poison.
  maxDeliveries: 1_000_000,
};
await Promise.all([
  createWorker({ ...options, workflows: Object.values(labWorkflows(performer)) }).run(),
  createWorker({ ...options, workflows: [], activities: [remoteActivity(performer)], queues: [REMOTE_QUEUE] }).run(),
]);
