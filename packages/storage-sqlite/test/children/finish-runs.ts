import { sqlite } from "@perdure/storage-sqlite";
import { anything, done, hold } from "../../../storage-sql/test/requests.ts";

// Executes what there is, until there is nothing; answers the ids of the runs that it ended.
const storage = sqlite(process.argv[2]!);
const ended: string[] = [];
for (;;) {
  const { tasks } = await storage.claimTasks(anything({ workerInstance: `worker-${process.pid}`, limit: 20 }));
  if (tasks.length === 0) break;
  for (const seq of [1, 2, 3]) {
    const commits = tasks.map(({ claim }) => (seq === 3 ? done(claim, seq) : hold(claim, seq)));
    for (const result of await storage.commitTasks(commits)) {
      if (result.status !== "ok") throw new Error(JSON.stringify(result));
    }
  }
  ended.push(...tasks.map(({ claim }) => claim.runId));
}
await storage.close();
process.send!(ended);
process.disconnect();
