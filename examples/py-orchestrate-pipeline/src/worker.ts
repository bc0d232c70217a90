// The worker: a process of its own, which may be killed at any time. Its arguments: the database, and whether `load` is
// mended yet.
import { createWorker, type Logger } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { loadInBatches, loadRowByRow } from "./load.ts";
import { pipelineWith } from "./pipeline.ts";

const [database = "pipeline.db", version] = process.argv.slice(2);
const say = (sentence: string): void => console.log(`worker ${process.pid}: ${sentence}`);
const logger: Logger = { debug() {}, info: say, warn: say, error: say };

const storage = sqlite(database);
const pipeline = pipelineWith(version === "mended" ? loadInBatches : loadRowByRow);
// A short lease, so that the run of a killed worker is free again after two seconds. The default is 15.
const worker = createWorker({ storage, workflows: [pipeline], lease: "2s", logger });

process.once("SIGTERM", () => void worker.stop());
process.once("disconnect", () => process.exit()); // Who started this worker is gone.
await worker.run();
await storage.close();
process.disconnect();
