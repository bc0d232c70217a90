import { postgres } from "@perdure/storage-postgres";
import { newRun } from "../../../storage-sql/test/requests.ts";

// Uses a store, and closes nothing.
const [url, schema] = process.argv.slice(2);
const storage = postgres({ url: url!, schema: schema! });
const subscription = await storage.subscribe!(() => {});
subscription.add({ of: "queue", queue: "main" });
await storage.createRuns([newRun("run")]);
process.send!("subscribed");
process.disconnect();
