import { mysql } from "@perdure/storage-mysql";
import { anything, newRun } from "../../../storage-sql/test/requests.ts";

// Starts and claims a run under a clock that is off; tells what the store makes of it.
const [url, skewMs] = process.argv.slice(2);
const now = Date.now;
Date.now = () => now() + Number(skewMs);
const storage = mysql(url!);
const [created] = await storage.createRuns([newRun(`skewed${skewMs}`)]);
const { tasks } = await storage.claimTasks(anything({ workerInstance: `worker ${skewMs}`, leaseMs: 60_000 }));
const answer = {
  createdAt: created!.run.createdAt,
  now: await storage.now(),
  leases: tasks.map((task) => task.leaseUntil),
};
await storage.close();
process.send!(answer);
process.disconnect();
