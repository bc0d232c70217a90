import { openSync } from "node:fs";
import { join } from "node:path";
import { createWorker } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { FileLedger } from "./ledger.ts";
import type { WorkerOrder } from "./order.ts";
import { Stalls } from "./stalls.ts";
import { watch } from "./watch.ts";
import { labWorkflows, REMOTE_QUEUE, remoteActivity } from "./workflows.ts";

/** Has this process carry out the lab's workflows and activities, and write down what it does, until it is killed. */
export async function runLabWorkers(storage: StorageBackend, order: WorkerOrder): Promise<void> {
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
}
