import { createWorker } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { fan, pooled, work } from "../fan-out.ts";

// Executes activities for others until it is told to stop or killed: `both` has the workflow, too.
const [path, log, role] = process.argv.slice(2) as [string, string, "both" | "pool"];
const storage = sqlite(path);
const worker = createWorker({
  storage,
  workflows: role === "both" ? [fan] : [],
  queues: [role === "both" ? "default" : "pool"],
  activities: [role === "both" ? work(log) : pooled(log)],
  concurrency: { runs: 10, activities: 10 },
  lease: "3s",
});
process.on("message", () => void worker.stop());
const working = worker.run();
process.send!("ready");
await working;
await storage.close();
process.disconnect();
