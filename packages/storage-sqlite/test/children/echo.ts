import { sqlite } from "@perdure/storage-sqlite";
import { anything, done } from "../../../storage-sql/test/requests.ts";

// Ends every run as soon as a hint says that it is there. Never looks by time.
const storage = sqlite(process.argv[2]!);
let hinted = (): void => {};
let isHinted = false;
const subscription = await storage.subscribe!(() => {
  isHinted = true;
  hinted();
});
subscription.add({ of: "queue", queue: "main" });
process.on("disconnect", () => process.exit());
process.send!("ready");
for (;;) {
  isHinted = false;
  const { tasks } = await storage.claimTasks(anything());
  if (tasks.length > 0) await storage.commitTasks(tasks.map(({ claim }) => done(claim, 1)));
  else if (!isHinted) await new Promise<void>((resolve) => (hinted = resolve));
}
