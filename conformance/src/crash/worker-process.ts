import { openSubject, readOrder } from "./child-process.ts";
import { runLabWorkers } from "./lab-workers.ts";
import type { WorkerOrder } from "./order.ts";

const order = readOrder() as WorkerOrder;
await runLabWorkers(await openSubject(order), order);
