// npm start -w examples/loom-order: three orders, of which one is shipped. Takes two seconds, leaves nothing behind.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, createWorker, isPerdureError, type Logger, type RunHandle, toMermaid } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { readLedger } from "./ledger.ts";
import { order, type OrderState } from "./order.ts";

console.log(`${order.description}\n\n${toMermaid(order.graph())}`);

const startedAt = performance.now();
function say(sentence: string): void {
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(2).padStart(5)} s  ${sentence}`);
}
const logger: Logger = { debug() {}, info: say, warn: say, error: say };

const folder = mkdtempSync(join(tmpdir(), "perdure-order-"));
const ledger = (process.env["ORDER_LEDGER"] ??= join(folder, "ledger.jsonl"));
const storage = sqlite(join(folder, "orders.db"));
const worker = createWorker({ storage, workflows: [order], logger });
const client = createClient({ storage });

/** Reads a run's state from outside until it has a status, and tells. */
async function reached(run: RunHandle<unknown, OrderState>, status: OrderState["status"]): Promise<void> {
  while ((await run.state())?.status !== status) await pause(20);
  say(`${run.runId}: ${status}`);
}

try {
  void worker.run();
  const items = [
    { sku: "tea", quantity: 2 },
    { sku: "cup", quantity: 1 },
  ];
  const place = (customer: string, secondThoughts: "1s" | "1h") =>
    client.start(order, { customer, items, secondThoughts }, { id: `order-of-${customer.split("@")[0]}` });
  const [ada, grace, mallory] = await Promise.all([
    place("ada@perdure.example", "1s"),
    place("grace@perdure.example", "1h"),
    place("mallory@perdure.example", "1s"),
  ]);

  // Mallory's card is stolen: what was reserved is released.
  await assert.rejects(mallory.result(), (error) => isPerdureError(error, "run-failed"));
  await reached(mallory, "declined");

  // Grace changes her mind.
  await reached(grace, "paid");
  await grace.cancel({ reason: "changed her mind" });
  await assert.rejects(grace.result(), (error) => isPerdureError(error, "run-cancelled"));
  await reached(grace, "withdrawn");

  // Ada gets a parcel.
  assert.deepEqual(await ada.result(), {
    receipt: "37.50 EUR from ada@perdure.example",
    tracking: "600 g to ada@perdure.example",
  });
  await reached(ada, "shipped");

  // What really happened is in the ledger, execution by execution.
  const executions = readLedger(ledger);
  const executedFor = ({ runId }: RunHandle<unknown, OrderState>) =>
    executions.filter((execution) => execution.runId === runId).map(({ activity }) => activity);
  const paid = ["reserve", "reserve", "charge", "charge"]; // the bank did not answer at once
  assert.deepEqual(executedFor(mallory), [...paid, "release", "release"]);
  assert.deepEqual(executedFor(grace), [...paid, "refund", "release", "release"]);
  assert.deepEqual(executedFor(ada), [...paid, "pack", "send-mail", "book-courier"]);
  console.log("order: ok — 1 shipped, 1 declined and released, 1 withdrawn and refunded");
} finally {
  await worker.stop();
  await client.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
}
