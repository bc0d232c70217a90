// The worker: a process of its own, started by worker-process.ts. It may be killed at any time.
import { createWorker } from "@perdure/core";
import { fulfilmentWith } from "./fulfilment.ts";
import { serverOf } from "./server.ts";
import { type InTransaction, transactionsOf } from "./transactions.ts";
import type { Moment } from "./worker-process.ts";

const [kind, name = "", diesAt] = process.argv.slice(2);
const { shop, storage } = (await serverOf(kind)).open(process.env["SHOP_URL"]!, name);
const inTransaction = transactionsOf(shop);

/** Says how far it has come. At one moment it may have to die, on the spot and without a word. */
function reach(moment: Moment): void {
  if (moment === diesAt) process.kill(process.pid, "SIGKILL");
  process.send!(moment);
}

const told: InTransaction = async (run) => {
  const answer = await inTransaction(async (tx) => {
    reach("begun");
    const result = await run(tx);
    reach("before the commit");
    return result;
  });
  reach("after the commit");
  return answer;
};

const { fulfilment, activities } = fulfilmentWith(told);
// A short lease, so that what a killed worker held is free again after two seconds. The default is 15.
const worker = createWorker({ storage, workflows: [fulfilment], activities, lease: "2s" });

process.once("SIGTERM", () => void worker.stop());
process.on("SIGINT", () => {}); // Ctrl-C reaches both processes; the demo decides.
process.once("disconnect", () => process.exit()); // The demo is gone, or this worker has stopped.

await worker.run();
await storage.close();
await shop.destroy();
process.disconnect();
