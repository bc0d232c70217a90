// The worker: a process of its own, started by worker-process.ts. It may be killed at any time.
import { consoleLogger, createWorker, type Logger } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { order, shipment } from "./order.ts";

const [database = "orders.db"] = process.argv.slice(2);
const storage = sqlite(database);
// The demo's own timeline tells of attempts that fail.
const logger: Logger = {
  ...consoleLogger,
  warn(message, fields) {
    if (fields?.["code"] !== "attempt-failed") consoleLogger.warn(message, fields);
  },
};
// A short lease, so that the runs of a killed worker are free again after two seconds. The default is 15.
const worker = createWorker({ storage, workflows: [order, shipment], lease: "2s", logger });

process.once("SIGTERM", () => void worker.stop());
process.on("SIGINT", () => {}); // Ctrl-C reaches both processes; the demo decides.
process.once("disconnect", () => process.exit()); // The demo is gone, or this worker has stopped.

await worker.run();
await storage.close();
process.disconnect();
