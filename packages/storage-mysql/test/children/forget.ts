import { mysql } from "@perdure/storage-mysql";
import { newRun } from "../../../storage-sql/test/requests.ts";

// Uses a store, and closes nothing.
const [url] = process.argv.slice(2);
const storage = mysql(url!);
const subscription = await storage.subscribe!(() => {});
subscription.add({ of: "queue", queue: "main" });
await storage.createRuns([newRun("run")]);
process.send!("subscribed");
process.disconnect();
