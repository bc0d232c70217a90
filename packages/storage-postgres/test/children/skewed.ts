import { createClient, createWorker, workflow } from "@perdure/core";
import { isPerdureError } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { anything, newRun } from "../../../storage-sql/test/requests.ts";

// A machine whose clock is off by so much: tells what the store says of time, and executes a run with a timer.
const [url, schema, offset] = process.argv.slice(2);
const trueNow = Date.now;
Date.now = () => trueNow() + Number(offset);

const storage = postgres({ url: url!, schema: schema! });
const runId = `run-${offset}`;
const told: Record<string, unknown> = { now: (await storage.now()) - trueNow() };
await storage.createRuns([newRun(runId, { queue: runId })]);
const { tasks, now } = await storage.claimTasks(anything({ queues: [runId], leaseMs: 60_000 }));
const [task] = tasks;
told["createdAt"] = task!.kind === "workflow" ? task!.run.createdAt - trueNow() : null;
told["lease"] = task!.leaseUntil - now;
// Somebody else's lease is not over for anybody.
const other = await storage.claimTasks(anything({ queues: [runId], workerInstance: "other" }));
told["robbed"] = other.tasks.length;
told["nextReadyAt"] = other.nextReadyAt === task!.leaseUntil;

const sleeper = workflow({ name: "sleeper" }, async (ctx) => {
  const before = ctx.now().getTime();
  await ctx.sleep("200ms");
  return ctx.now().getTime() - before;
});
const worker = createWorker({ storage, workflows: [sleeper], queues: [`${runId}-timer`] });
const working = worker.run();
const client = createClient({ storage });
const startedAt = performance.now();
const run = await client.start(sleeper, undefined, { queue: `${runId}-timer` });
try {
  told["slept"] = await run.result({ timeout: "20s" });
} catch (error) {
  told["slept"] = isPerdureError(error) ? error.code : String(error);
}
told["took"] = performance.now() - startedAt;
await worker.stop();
await working;
await client.close();
await storage.close();
process.send!(told);
process.disconnect();
